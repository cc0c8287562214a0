/* towerify-app.c - the catalogue, and apps on hosts: towerify-app(1) */
#include "app.h"
#include "filing.h"

static const struct tw_option list_options[] = {
	{ "status", 0, "STATE", "only those in that state: working, ...",
	    false },
	{ "level", 0, "N", "only those of that level or better", false },
	{ "category", 0, "CATEGORY", "only those of that category", false },
	{ "arch", 0, "ARCH", "only those that run on it", false },
	{ 0 }
};
static const struct tw_option deploy_options[] = {
	{ "name", 0, "INSTANCE", "its name there, if not the app's", false },
	FILING_OPTIONS,
	{ 0 }
};
static const struct tw_option undeploy_options[] = {
	{ "no-backup", 0, NULL, "don't run the app's backup first", false },
	FILING_OPTIONS,
	{ 0 }
};
static const struct tw_option instances_options[] = {
	{ "app", 0, "APP", "only those of that app", false },
	{ "all", 0, NULL, "those that are gone too", false },
	{ 0 }
};

static const struct tw_verb verbs[] = {
	{ "list", app_list, list_options, "[PATTERN]", 0, 1, TW_NEEDS_READ,
	    "the apps of the catalogue", app_list_columns },
	{ "show", app_show, NULL, "APP[@VERSION]", 1, 1, TW_NEEDS_READ,
	    "one of them", app_show_columns },
	{ "add", app_add, NULL, "FILE|DIR", 1, 1, TW_NEEDS_CREATE,
	    "store an app file's version, or a manifest of YunoHost", NULL },
	{ "import", app_import, NULL, "FILE|DIR|URL", 1, 1, TW_NEEDS_CREATE,
	    "take YunoHost's catalogue over", NULL },
	{ "remove", app_remove, NULL, "APP[@VERSION]", 1, 1, TW_NEEDS_WRITE,
	    "forget an app, or a version of it", NULL },
	{ "deploy", app_act, deploy_options, "APP[@VERSION] TARGETS", 2, 2,
	    TW_NEEDS_WRITE, "put it on hosts, print the changes' ids", NULL },
	{ "upgrade", app_act, filing_options, "INSTANCE[@VERSION] TARGETS", 2,
	    2, TW_NEEDS_WRITE, "to a newer version or other parameters",
	    NULL },
	{ "start", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, "start it", NULL },
	{ "stop", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, "stop it", NULL },
	{ "backup", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, "back it up", NULL },
	{ "restore", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, "put its backup back", NULL },
	{ "check", app_act, filing_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, "is it well?", NULL },
	{ "undeploy", app_act, undeploy_options, "INSTANCE TARGETS", 2, 2,
	    TW_NEEDS_WRITE, "back it up, and take it off", NULL },
	{ "instances", app_instances, instances_options, "[TARGETS]", 0, 1,
	    TW_NEEDS_READ, "the apps on hosts", app_instances_columns },
};

int main(int argc, char **argv)
{
	return tower_main(argc, argv, "towerify-app",
	    "the catalogue of apps, and apps on hosts", verbs,
	    sizeof verbs / sizeof *verbs);
}
