/* successor_read.c - the mapping under "successor:"; see change_read.h */
#include <string.h>

#include "base/name.h"
#include "spec/change_read.h"
#include "spec/node.h"

static const char *const keys[] = { "user", "port", "sudo", NULL };

#define USER_MAX 256			/* bytes as it is written */

static const struct tw_param user_def = { .name = "user",
    .type = TW_PARAM_STRING };
static const struct tw_kind no_kind = { .name = "successor" };

static void read_user(struct tw_change_read *r, const struct tw_yaml_node *n,
    struct tw_arg_spec *user)
{
	size_t before = r->ds->n + r->ds->more;
	struct tw_quote q;

	user->def = &user_def;
	if (!tw_node_line(n, "user", USER_MAX, &user->raw, r->ds))
		return;
	user->given = true;
	user->text = user->content = user->raw;
	user->len = n->len;
	tw_use_check_holes(r, &no_kind, n, user);
	if (!user->has_holes && !tw_name_ok(user->raw) &&
	    r->ds->n + r->ds->more == before)
		tw_diags_add(r->ds, n->line, n->col, NULL,
		    "user must be letters, digits and . _ -, a letter or digit "
		    "first, not %s",
		    tw_quote(&q, user->raw, user->len));
}

void tw_successor_read_spec(struct tw_change_read *r,
    const struct tw_yaml_node *n)
{
	struct tw_successor_spec *s = &r->spec->successor;
	const struct tw_yaml_node *user, *port, *sudo;

	if (!tw_node_mapping(n, "successor", keys, r->ds))
		return;
	s->given = true;
	user = tw_node_get(n, "user");
	port = tw_node_get(n, "port");
	sudo = tw_node_get(n, "sudo");
	if (!user && !port)
		tw_diags_add(r->ds, n->key->line, n->key->col, NULL,
		    "successor needs a user, a port, or both");
	if (user)
		read_user(r, user, &s->user);
	if (port)
		tw_node_int(port, "port", 1, 65535, &s->port, r->ds);
	if (sudo)
		s->has_sudo = tw_node_bool(sudo, "sudo", &s->sudo, r->ds);
}

enum tw_status tw_successor_fill(struct tw_change_spec *spec,
    const struct tw_param_values *values, struct tw_diags *ds,
    struct tw_err *err)
{
	struct tw_arg_spec *user = &spec->successor.user;
	struct tw_quote q;
	enum tw_status st;

	if (!user->has_holes)
		return TW_OK;
	st = tw_use_fill(spec, values, user, TW_NAME_MAX, err);
	if (st == TW_OK && !tw_name_ok(user->text))
		tw_diags_add(ds, 0, 0, NULL, "successor: user must "
		    "be letters, digits and . _ -, a letter or digit first, "
		    "not %s",
		    tw_quote(&q, user->text, strlen(user->text)));
	return st;
}
