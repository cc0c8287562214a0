#!/bin/sh
# tenants.t - what organisations own is reached for a person through
# lib/model/tenant.c alone
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

# In a function that knows the caller (a struct tw_who among its arguments, or
# an argument that holds one) no statement on a tenant's table may be prepared
# by other means than tw_tenant_*(), nor be handed over as a variable.
# tenant.c is where that is done.  What is the caller's own in whichever
# organisation is limited by "operator_id = ?1".
rule_tenants() {
	files "$1" '*.c' lib/model | while IFS= read -r file; do
		case $file in */tenant.c) continue ;; esac
		awk -v file="$file" '
		BEGIN {
			tables = "(FROM|JOIN|INTO|UPDATE)[ \"\\\\\t]+" \
			    "(host|label|change|step|output|secret|permit|" \
			    "member|audit|audit_anchor|app|instance)" \
			    "([^a-z_]|$)"
		}
		# The text of macros and statements, by name.
		/^#define [A-Z_]+/ {
			text = $2
			body = $0
			while (body ~ /\\$/ && (getline line) > 0) {
				sub(/\\$/, "", body)
				body = body " " line
			}
			macro[text] = body
			next
		}
		/^static const char [a-z_]+\[\] =/ {
			name = $4
			sub(/\[.*/, "", name)
			body = $0
			while (body !~ /;[ \t]*$/ && (getline line) > 0)
				body = body " " line
			for (m in macro)
				if (body ~ "(^|[^A-Za-z_])" m "([^A-Za-z_]|$)")
					body = body " " macro[m]
			statement[name] = body
			next
		}
		# Structs of the file that hold a caller.
		/^struct [a-z_]+ \{/ { struct = $2; inside = 1; next }
		inside && /^\}/ { inside = 0; next }
		inside && /const struct tw_who / { holds[struct] = 1; next }
		inside { next }
		/^[a-z].*\(/ { head = $0; whole = $0; next }
		/^\{/ {
			knows = whole ~ /const struct tw_who \*/
			for (s in holds)
				if (whole ~ "struct " s " \\*")
					knows = 1
			on = 1
			next
		}
		/^\}/ { on = 0; whole = ""; next }
		!on { whole = whole " " $0; next }
		!knows { next }
		{
			call = $0
			at = FNR
			if (call !~ /tw_(stmt_get|run_int)\(/)
				next
			while (call !~ /;/ && call !~ /\)[ \t]*\{?$/ &&
			    (getline line) > 0)
				call = call " " line
			named = 0
			for (n in statement) {
				if (call !~ "(^|[^a-z_])" n "([^a-z_]|$)")
					continue
				named = 1
				if (statement[n] ~ tables &&
				    statement[n] !~ /operator_id = \?1/)
					print file ":" at ": " n " without " \
					    "its tenant"
			}
			if (!named)
				print file ":" at ": a statement that can" \
				    " not be seen here"
		}' "$file"
	done
}

# The tools ask as the caller: what the runner alone may ask is not for them,
# and nobody is not a caller.
runners='tw_host_load|tw_change_load|tw_change_claim|tw_host_hold_tower'
runners="$runners|tw_queue_[a-z]+|tw_audit_add|tw_stmt_[a-z]+"
asked='tw_change_(get|each|steps|source|ahead|permit|file|plan|cancel)'
asked="$asked|tw_output_each|tw_host_(get|select|permit|add|save|remove)"
rule_tools() {
	files "$1" '*.c' bin | while IFS= read -r file; do
		grep -HnE "\\<($runners)\\(" "$file" || :
		grep -HnE "\\<($asked)\\([^,]*, *NULL" "$file" || :
	done
}

holds tenants 'who knows the caller reaches rows through tenant.c alone'
holds tools 'the tools ask for nobody, nor as the runner'

sample lib/model/bad.c <<'END'
/* bad.c - a statement on hosts without the caller's organisation */
static const char find_sql[] =
    "SELECT id FROM host"
    " WHERE name = ?1";

enum tw_status find(struct tw_store *s, const struct tw_who *who,
    struct tw_err *err)
{
	return tw_stmt_get(s, find_sql, &st, err);
}
END
catches tenants 'a statement without its tenant is found'
sample lib/model/bad.c <<'END'
/* bad.c - the same through a macro, and a struct that holds the caller */
#define TABLES \
	" FROM step s" \
	" JOIN change c"
static const char list_sql[] = "SELECT 1" TABLES;

struct batch {
	const struct tw_who *who;
};

static enum tw_status list(struct tw_store *s, const struct batch *b,
    struct tw_err *err)
{
	return tw_run_int(s,
	    list_sql, 1, err);
}
END
catches tenants '... through a macro and a struct too'
sample lib/model/bad.c <<'END'
/* bad.c - a statement that comes from elsewhere */
static enum tw_status run(struct tw_store *s, const struct tw_who *who,
    const char *sql, struct tw_err *err)
{
	return tw_run_int(s, sql, who->org_id, err);
}
END
catches tenants '... and one handed over as a variable'
sample lib/model/bad.c <<'END'
/* bad.c - well: no tenant's table, and a function of the runner's */
static const char org_sql[] = "SELECT name FROM org WHERE id = ?1";
static const char load_sql[] = "SELECT name FROM host WHERE id = ?1";

static enum tw_status name(struct tw_store *s, const struct tw_who *who,
    struct tw_err *err)
{
	return tw_run_int(s, org_sql, who->org_id, err);
}

static enum tw_status load(struct tw_store *s, int64_t id, struct tw_err *err)
{
	return tw_run_int(s, load_sql, id, err);
}
END
tests=$((tests + 1))
if [ -z "$(rule_tenants "$bad")" ]; then
	echo "ok $tests - what is no tenant's, or the runner's, may"
else
	echo "not ok $tests - what is no tenant's, or the runner's, may"
fi
sample bin/bad.c <<'END'
int f(void) { return tw_host_load(store, 1, &h, &err); }
END
catches tools 'a tool that asks as the runner is found'
sample bin/bad.c <<'END'
int f(void) { return tw_change_steps(store, NULL, 1, &v, &n, &err); }
END
catches tools '... or for nobody'
finish
