/* towerify-app.c - the catalogue, and apps on hosts: towerify-app(1) */
#include "app.h"
#include "filing.h"

static const struct tw_option list_options[] = {
	{ "status", 0, "STATE", N_("only those in that state: working, ..."),
	    false },
	{ "level", 0, "N", N_("only those of that level or better"), false },
	{ "category", 0, "CATEGORY", N_("only those of that category"), false },
	{ "arch", 0, "ARCH", N_("only those that run on it"), false },
	{ 0 }
};
static const struct tw_option deploy_options[] = {
	{ "name", 0, "INSTANCE", N_("its name there, if not the app's"),
	    false },
	FILING_OPTIONS,
	{ 0 }
};
static const struct tw_option undeploy_options[] = {
	{ "no-backup", 0, NULL, N_("don't run the app's backup first"), false },
	FILING_OPTIONS,
	{ 0 }
};
static const struct tw_option instances_options[] = {
	{ "app", 0, "APP", N_("only those of that app"), false },
	{ "all", 0, NULL, N_("those that are gone too"), false },
	{ 0 }
};

static const struct tw_verb verbs[] = {
	{ "list", app_list, list_options, "[PATTERN]", 0, 1, TW_NEEDS_READ,
	    N_("the apps of the catalogue"), app_list_columns },
	{ "show", app_show, NULL, "APP[@VERSION]", 1, 1, TW_NEEDS_READ,
	    N_("one of them"), app_show_columns },
	{ "add", app_add, NULL, "FILE|DIR", 1, 1, TW_NEEDS_CREATE,
	    N_("store an app file's version, or a manifest of YunoHost"),
	    NULL },
	{ "import", app_import, NULL, "FILE|DIR|URL", 1, 1, TW_NEEDS_CREATE,
	    N_("take YunoHost's catalogue over"), NULL },
	{ "remove", app_remove, NULL, "APP[@VERSION]", 1, 1, TW_NEEDS_WRITE,
	    N_("forget an app, or a version of it"), NULL },
	{ "deploy", app_act, deploy_options, "APP[@VERSION] TARGETS", 2, 2,
	    TW_NEEDS_WRITE, N_("put it on hosts, print the changes' ids"),
	    NULL },
	{ "upgrade", app_act, filing_options, "INSTANCE[@VERSION] TARGETS", 2,
	    2, TW_NEEDS_WRITE, N_("to a newer version or other parameters"),
	    NULL },
	{ "start", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, N_("start it"), NULL },
	{ "stop", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, N_("stop it"), NULL },
	{ "backup", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, N_("back it up"), NULL },
	{ "restore", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, N_("put its backup back"), NULL },
	{ "check", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, N_("is it well?"), NULL },
	{ "undeploy", app_act, undeploy_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, N_("back it up, and take it off"), NULL },
	{ "instances", app_instances, instances_options, "[TARGETS]", 0, 1,
	    TW_NEEDS_READ, N_("the apps on hosts"), app_instances_columns },
};

int main(int argc, char **argv)
{
	return tower_main(argc, argv, "towerify-app",
	    "the catalogue of apps, and apps on hosts", verbs,
	    sizeof verbs / sizeof *verbs);
}
