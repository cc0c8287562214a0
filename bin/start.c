/*
 * start.c - a pass of its own for what was just filed; see start.h
 *
 * Behind a gate too it is the owner's, as cron's is: what the gate has set to
 * name the caller is not handed on.  A pass that is at work already takes up
 * what is filed (bin/pass.c), and this one ends at once.
 */
#include "start.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "beside.h"
#include "gate.h"

static bool set_environment(const char *dir)
{
	static const char *const dropped[] = {
		"SUDO_UID", "SUDO_GID", "SUDO_USER", "SUDO_COMMAND",
		"TOWERIFY_OPERATOR", "TOWERIFY_ORG", "SSH_ORIGINAL_COMMAND",
	};
	const char *home = getenv("HOME");
	const struct passwd *pw;
	struct stat st;
	size_t i;

	if (gate_is_there())
		unsetenv("TOWERIFY_CONFIG");
	for (i = 0; i < sizeof dropped / sizeof *dropped; i++)
		unsetenv(dropped[i]);
	/* root's, who has become the owner */
	if (!home || stat(home, &st) < 0 || st.st_uid != geteuid()) {
		pw = getpwuid(geteuid());
		if (pw && setenv("HOME", pw->pw_dir, 1) < 0)
			return false;
	}
	return setenv("TOWERIFY_STATE", dir, 1) == 0;
}

static void close_all(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	if (open("/dev/null", O_RDWR) == STDIN_FILENO) {
		dup2(STDIN_FILENO, STDOUT_FILENO);
		dup2(STDIN_FILENO, STDERR_FILENO);
	}
	close_range(STDERR_FILENO + 1, ~0U, 0);
}

static void become_pass(const char *program, const char *dir)
{
	char name[] = "towerify-run", *const argv[] = { name, NULL };
	sigset_t none;
	int sig;

	setsid();
	if (fork() != 0)	/* its parent is init, and no terminal its */
		_exit(0);
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_all();
	umask(077);
	if (chdir("/") == 0 && set_environment(dir))
		execv(program, argv);
	_exit(1);
}

void start_pass(const struct tower *t)
{
	char *program;
	pid_t pid;

	if (!t->config.number[TW_CONFIG_START])
		return;
	program = beside("towerify-run");
	pid = program ? fork() : -1;
	if (pid == 0)
		become_pass(program, tw_store_dir(t->store));
	if (pid > 0)
		waitpid(pid, NULL, 0);
	free(program);
}
