/*
 * core.c - time that passes when told to, chance from a seed, and processes
 *          that take turns
 *
 * A process is a coroutine: it runs until it waits for something, so nothing
 * ever happens at the same time, and who comes next is a matter of the seed.
 */
#include "sim.h"

#include <assert.h>
#include <stdarg.h>
#include <unistd.h>

#define STACK ((size_t)1 << 20)

struct sim sim;
struct proc *current;

const char *const bug_names[BUGS] = {
	"none", "twice", "left", "rerun", "undo-twice", "undo-all",
	"no-fence", "eat", "deaf", "silent", "behind",
	"leave", "lifo", "no-audit", "audit-more",
	"forget", "serial", "idle-write", "ahead", "verdict", "stuck",
	"stray", "may",
};

/* --- chance ---------------------------------------------------------------- */

static uint64_t state;

static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void chance_begin(uint64_t seed)
{
	sim.seed = seed;
	state = mix(seed);
}

uint64_t chance(uint64_t n)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	return n ? mix(state) % n : 0;
}

bool one_in(uint64_t n)
{
	return n > 0 && chance(n) == 0;
}

int64_t between(int64_t from, int64_t to)
{
	return from + (int64_t)chance((uint64_t)(to - from + 1));
}

uint64_t fixed_chance(uint64_t a, uint64_t b, uint64_t n)
{
	return mix(mix(mix(sim.seed) ^ a) ^ b) % n;
}

void make_id(char out[33])
{
	for (int i = 0; i < 2; i++)
		snprintf(out + 16 * i, 17, "%016" PRIx64,
		    chance(UINT64_MAX));
}

/* --- what is said ------------------------------------------------------------ */

static void stamp(FILE *f)
{
	fprintf(f, "%7" PRId64 ".%03" PRId64 " ", sim.now / 1000,
	    sim.now % 1000);
	if (tower && tower != towers)
		fputs("copy ", f);
	if (current)
		fprintf(f, "r%d ", current->id);
}

void trace(const char *fmt, ...)
{
	va_list ap;

	if (!sim.trace)
		return;
	stamp(stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void broken(int rule, const char *fmt, ...)
{
	va_list ap;

	printf("seed %" PRIu64 ": ", sim.seed);
	stamp(stdout);
	printf("invariant %d broken: ", rule);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

/* --- time: a heap of what will happen ------------------------------------------ */

struct event {
	int64_t at;
	uint64_t n;		/* of two at the same time the earlier one */
	void (*fn)(void *arg);
	void *arg;
};

static struct event *heap;
static size_t nheap, heap_cap;
static uint64_t nevents;

static bool is_sooner(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->n < b->n;
}

static void swap(size_t i, size_t j)
{
	struct event e = heap[i];

	heap[i] = heap[j];
	heap[j] = e;
}

void later(int64_t in, void (*fn)(void *arg), void *arg)
{
	size_t i = nheap++;

	if (nheap > heap_cap) {
		heap_cap = heap_cap ? heap_cap * 2 : 1024;
		heap = realloc(heap, heap_cap * sizeof *heap);
		assert(heap);
	}
	heap[i] = (struct event){ sim.now + (in > 0 ? in : 0), nevents++, fn,
	    arg };
	for (; i > 0 && is_sooner(&heap[i], &heap[(i - 1) / 2]);
	    i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct event pop(void)
{
	struct event first = heap[0];
	size_t i = 0, next;

	heap[0] = heap[--nheap];
	for (;;) {
		next = 2 * i + 1;
		if (next + 1 < nheap && is_sooner(&heap[next + 1], &heap[next]))
			next++;
		if (next >= nheap || !is_sooner(&heap[next], &heap[i]))
			return first;
		swap(i, next);
		i = next;
	}
}

void run_events(int64_t until, bool (*enough)(void))
{
	struct event e;

	while (nheap > 0 && heap[0].at <= until) {
		e = pop();
		sim.now = e.at;
		sim.events++;
		e.fn(e.arg);
		if (enough && enough())
			return;
	}
	sim.now = until;
}

/* --- processes --------------------------------------------------------------------- */

static ucontext_t outside;
static int nprocs;

struct wake {
	struct proc *proc;
	uint64_t turn;
};

static void enter(unsigned high, unsigned low)
{
	struct proc *p = (struct proc *)(uintptr_t)
	    ((uint64_t)high << 32 | low);

	p->main(p);
	p->is_dead = true;
	current = NULL;
	setcontext(&outside);
}

static void resume(struct proc *p)
{
	struct tower *was = tower;

	assert(!current);
	p->is_blocked = false;
	p->turn++;
	current = p;
	tower = p->tower;
	swapcontext(&outside, &p->context);
	current = NULL;
	tower = was;
}

static void on_wake(void *arg)
{
	struct wake *w = arg;
	struct proc *p = w->proc;

	if (p->is_dead || !p->is_blocked || p->turn != w->turn) {
		free(w);
	} else if (p->paused > sim.now) {
		later(p->paused - sim.now, on_wake, w);
	} else {
		free(w);
		resume(p);
	}
}

static void wake_in(struct proc *p, int64_t in)
{
	struct wake *w = malloc(sizeof *w);

	assert(w);
	*w = (struct wake){ p, p->turn };
	later(in, on_wake, w);
}

struct proc *proc_start(void (*fn)(struct proc *p))
{
	struct proc *p = calloc(1, sizeof *p);
	uint64_t at = (uint64_t)(uintptr_t)p;

	assert(p);
	p->id = ++nprocs;
	p->main = fn;
	p->born = sim.now;
	p->tower = tower;
	p->life = tower->life;
	getcontext(&p->context);
	p->context.uc_stack.ss_sp = malloc(STACK);
	p->context.uc_stack.ss_size = STACK;
	assert(p->context.uc_stack.ss_sp);
	makecontext(&p->context, (void (*)(void))enter, 2,
	    (unsigned)(at >> 32), (unsigned)at);
	p->is_blocked = true;
	wake_in(p, 0);
	return p;
}

void proc_block(int64_t until)
{
	struct proc *p = current;

	assert(p);
	p->is_blocked = true;
	if (until >= 0)
		wake_in(p, until - sim.now);
	swapcontext(&p->context, &outside);
}

void proc_wake(struct proc *p)
{
	if (p && p->is_blocked && !p->is_dead)
		wake_in(p, 0);
}

void proc_kill(struct proc *p)
{
	if (p->is_dead)
		return;
	p->is_dead = true;
	trace("runner %d is killed", p->id);
	links_of_dead(p);
	if (p->lock)
		tw_runlock_release(p->lock, NULL);
	p->lock = NULL;
	tw_store_close(p->store);
	p->store = NULL;
	if (p->tower->runner == p)
		p->tower->runner = NULL;
	if (current == p) {
		current = NULL;
		setcontext(&outside);
	}
}
