/*
 * people.c - operators: what they file, cancel, hold, release and mend, by
 *            chance, through the model as the tools do
 */
#include "sim.h"

#include <assert.h>

#include "base/clock.h"
#include "model/audit.h"
#include "model/change.h"
#include "model/operator.h"
#include "model/who.h"

struct filed *filed;
int nfiled;

static int cap;

#define state (tower->state)
#define alice (tower->alice)

/* What a tool would say to a person who then looks. */
static void must(enum tw_status st, const struct tw_err *err)
{
	if (st)
		broken(0, "an operator was refused: %s", err->msg);
}

static void add_host(struct host *h)
{
	struct tw_err err = { 0 };
	struct tw_host t = { 0 };

	t.name = strdup(h->name);
	t.address = strdup(h->name);
	t.port = 22;
	t.user = strdup("root");
	t.hostkey = strdup("ssh-ed25519 AAAA");
	t.transport = strdup("auto");
	t.spool_id = strdup(h->spool_id);
	must(tw_host_add(state, &alice, &t, &err), &err);
	h->id = t.id;
	tw_host_release(&t);
}

void people_enter(void)
{
	struct tw_caller caller = { .login = (char *)"alice" };
	struct tw_err err = { 0 };

	must(tw_store_open(tower->dir, TW_STORE_WRITE, &state, &err), &err);
	tw_store_busy_limit(state, 0);
	must(tw_who_get(state, &caller, NULL, TW_WHO_OPERATOR, &alice, &err),
	    &err);
	check_watch(state);
}

/* alice lets bob change hosts, or no longer. */
static void let_bob(bool may)
{
	const struct tw_scope all = { 0 };
	struct tw_err err = { 0 };
	int64_t num;

	trace("alice %s", may ? "lets bob change" : "lets bob no longer");
	if (may) {
		must(tw_grant_add(state, &alice, "bob", TW_MAY_CHANGE, &all, 0,
		    &num, &err), &err);
	} else {
		sim.withdrawn++;
		must(tw_grant_remove(state, &alice, "bob", TW_MAY_CHANGE, NULL,
		    &err), &err);
	}
	tower->bob_may = may;
}

int known_max(void)
{
	return sim.is_large ? 2 * nhosts + 100 : 400;
}

void people_begin(void)
{
	struct tw_err err = { 0 };
	bool added;

	tower->known = calloc((size_t)known_max(), sizeof *tower->known);
	assert(tower->known);
	people_enter();
	must(tw_operator_add(state, &alice, "bob", &added, &err), &err);
	let_bob(true);
	if (sim.is_large)
		must(tw_store_begin(state, &err), &err);
	for (int i = 0; i < nhosts; i++)
		add_host(&hosts[i]);
	if (sim.is_large)
		must(tw_store_commit(state, &err), &err);
}

struct filed *filed_by_uid(const char *uid)
{
	for (int i = nfiled; i-- > 0;)
		if (strcmp(filed[i].uid, uid) == 0)
			return &filed[i];
	return NULL;
}

struct known *tower_knows(const struct tower *t, const struct filed *f)
{
	return f->num <= t->nknown && t->known[f->num].filed == f ?
	    &t->known[f->num] : NULL;
}

/* Of those that the tower knows, one of the latest `among`. */
static struct filed *some_change(int among)
{
	int n = tower->nknown < among ? tower->nknown : among;

	return n == 0 ? NULL :
	    tower->known[tower->nknown - (int)chance((uint64_t)n)].filed;
}

/* --- filing ------------------------------------------------------------------ */

static void make_program(struct program *p, const struct host *h)
{
	static const enum tw_back undos[] = {
		TW_BACK_SCRIPT, TW_BACK_SCRIPT, TW_BACK_SCRIPT, TW_BACK_SCRIPT,
		TW_BACK_SCRIPT, TW_BACK_NOTHING, TW_BACK_IMPOSSIBLE,
		TW_BACK_NONE,
	};

	memset(p, 0, sizeof *p);
	p->n = sim.is_large ? between(1, 2) : between(1, STEPS_MAX);
	p->number = chance(UINT64_MAX);
	p->is_calm = one_in(2);
	for (int64_t k = 1; k <= p->n; k++) {
		p->limit[k] = between(1, 20) * SECOND;
		if (!h->is_healthy && !sim.is_large && one_in(20)) {
			p->is_reboot[k] = p->step[k].is_reboot = true;
			p->step[k].undo = TW_BACK_NOTHING;
			p->limit[k] = 5 * MINUTE;
			continue;
		}
		p->step[k].has_check = one_in(3);
		p->step[k].has_verify = p->step[k].has_check || one_in(4);
		p->step[k].retries = one_in(3) ? between(1, 2) : 0;
		p->step[k].undo = undos[chance(8)];
		if (p->step[k].undo == TW_BACK_SCRIPT && one_in(6))
			p->step[k].confirm = one_in(2) ? 180 : between(5, 60);
	}
}

static void make_steps(const struct program *p, struct tw_step *steps)
{
	static const char *const undoable[] = {
		[TW_BACK_NONE] = "none", [TW_BACK_IMPOSSIBLE] = "impossible",
		[TW_BACK_NOTHING] = "nothing", [TW_BACK_SCRIPT] = "script",
	};

	memset(steps, 0, STEPS_MAX * sizeof *steps);
	for (int64_t k = 1; k <= p->n; k++) {
		steps[k - 1].k = k;
		steps[k - 1].name = (char *)"a step";
		steps[k - 1].kind = (char *)(p->is_reboot[k] ? "reboot" : "run");
		steps[k - 1].undoable = (char *)undoable[p->step[k].undo];
		steps[k - 1].has_check = p->step[k].has_check;
		steps[k - 1].retries = p->step[k].retries;
		steps[k - 1].timeout = p->limit[k];
		steps[k - 1].longest = p->limit[k] * 3 *
		    (1 + p->step[k].retries);
		steps[k - 1].confirm = p->step[k].confirm * SECOND;
	}
}

/* What the tower says of it must be what its operator meant. */
static void look_up(struct filed *f)
{
	struct tw_err err = { 0 };
	struct tw_change c;

	must(tw_change_get(state, &alice, f->num, &c, &err), &err);
	f->id = c.id;
	snprintf(f->uid, sizeof f->uid, "%s", c.uid);
	if (c.joins != f->joins)
		broken(2, "change %" PRId64 " joined at %" PRId64 ", not %"
		    PRId64, f->num, c.joins, f->joins);
	tw_change_release(&c);
}

static struct filed *add_filed(struct host *h)
{
	struct filed *f;

	if (nfiled == cap) {
		/* jobs point into it: it never moves */
		assert(cap == 0);
		cap = known_max();
		filed = calloc((size_t)cap, sizeof *filed);
		assert(filed);
	}
	f = &filed[nfiled];
	memset(f, 0, sizeof *f);
	f->host = h;
	return f;
}

static int64_t latest_filed(const struct host *h)
{
	int64_t latest = 0;

	for (int i = 0; i < nfiled; i++)
		if (filed[i].host == h && filed[i].filed > latest &&
		    tower_knows(tower, &filed[i]))
			latest = filed[i].filed;
	return latest;
}

void people_file(struct host *h)
{
	struct filed *f = add_filed(h), *again_of;
	struct tw_step steps[STEPS_MAX];
	int64_t now = tw_clock_now(), latest = sim.is_large ? 0 :
	    latest_filed(h);
	struct tw_filing t = { .title = "a change", .params = "{}",
	    .file = "file", .file_len = 4, .room = 65536, .steps = steps };
	struct tw_err err = { 0 };
	struct tw_caller bob = { .login = (char *)"bob" };
	struct tw_who who;
	struct tw_host target;
	char text[40];
	bool again;

	if (nfiled + 1 == cap)
		return;
	make_program(&f->program, h);
	make_steps(&f->program, steps);
	snprintf(text, sizeof text, "%016" PRIx64, f->program.number);
	t.program = text;
	t.program_len = strlen(text);
	t.nsteps = (size_t)f->program.n;
	f->filed = now > latest ? now : latest;
	f->joins = f->filed;
	f->ready = sim.now;
	if (!sim.is_large && one_in(8) && sim.wall <= 0) {
		f->not_before = now + between(1, 3 * MINUTE);
		if (f->not_before > f->filed)
			f->joins = f->not_before;
		f->ready = sim.now + f->not_before - now;
	}
	if (!sim.is_large && one_in(12))
		f->not_after = now + between(MINUTE, 6 * MINUTE);
	if (f->not_after && f->not_after <= f->not_before)
		f->not_after = 0;
	t.not_before = f->not_before;
	t.not_after = f->not_after;
	t.hold_after_failure = f->hold_after = one_in(8);
	again_of = !sim.is_large && one_in(10) ? some_change(nfiled) : NULL;
	if (again_of)
		t.retry_of = again_of->id;
	must(tw_host_get(state, &alice, h->name, &target, &err), &err);
	f->is_bobs = !sim.is_large && tower->bob_may && one_in(3);
	if (f->is_bobs)
		must(tw_who_get(state, &bob, NULL, TW_WHO_OPERATOR, &who,
		    &err), &err);
	must(tw_change_file(state, f->is_bobs ? &who : &alice, &t, &target, 1,
	    &f->num, &again, &err), &err);
	tw_host_release(&target);
	sim.changes++;
	nfiled++;
	if (f->num != ++tower->nknown)
		broken(0, "change %" PRId64 " follows %d", f->num,
		    tower->nknown - 1);
	tower->known[f->num].filed = f;
	look_up(f);
	trace("alice files %" PRId64 " for %s: %" PRId64 " steps%s%s", f->num,
	    h->name, f->program.n, f->not_before ? ", later" : "",
	    f->not_after ? ", expires" : "");
}

/* --- acts ---------------------------------------------------------------------- */

static void cancel(void)
{
	enum tw_cancel_result result;
	struct tw_err err = { 0 };
	struct filed *f = some_change(one_in(2) ? nfiled : 4);

	if (!f)
		return;
	must(tw_change_cancel(state, &alice, f->num, &result, &err), &err);
	if (result == TW_CANCELLED)
		tower_knows(tower, f)->was_cancelled = true;
	trace("alice cancels %" PRId64 ": %s", f->num, result ==
	    TW_CANCELLED ? "cancelled" : result == TW_CANCEL_ASKED ? "asked" :
	    "too late");
}

static void hold_or_release(struct host *h)
{
	struct tw_err err = { 0 };
	struct tw_host t;
	bool is_held;

	must(tw_host_get(state, &alice, h->name, &t, &err), &err);
	is_held = t.held_reason != NULL;
	tw_host_release(&t);
	trace("alice %s %s", is_held ? "releases" : "holds", h->name);
	if (is_held)
		must(tw_host_release_hold(state, &alice, h->name, &err), &err);
	else
		must(tw_host_hold(state, &alice, h->name, "for lunch", &err),
		    &err);
	h->last_spoilt = sim.now;
}

/* As `towerify-host set NAME spool-id=accept'; false: it can't be asked. */
static bool accept_spool(struct host *h, struct tw_host *t)
{
	struct tw_err err = { 0 };
	const char *id = host_init(h);

	if (!id)
		return false;
	trace("alice accepts the spool of %s", h->name);
	free(t->spool_id);
	t->spool_id = strdup(id);
	t->fence_epoch = t->fence_seq = 0;
	must(tw_host_save(state, &alice, NULL, t, "{}", &err), &err);
	return true;
}

static void declare_lost(const struct host *h, const char *why)
{
	struct tw_err err = { 0 };
	struct tw_change c;

	for (int i = 0; i < nfiled; i++) {
		if (filed[i].host != h || !tower_knows(tower, &filed[i]))
			continue;
		must(tw_change_get(state, &alice, filed[i].num, &c, &err),
		    &err);
		if (c.status == TW_CHANGE_RUNNING) {
			trace("alice declares %" PRId64 " lost: %s", c.num,
			    why);
			sim.abandons++;
			tower_knows(tower, &filed[i])->was_abandoned = true;
			must(tw_change_abandon(state, &alice, c.num,
			    why, &err), &err);
		}
		tw_change_release(&c);
	}
}

static void mend(struct host *h)
{
	struct tw_err err = { 0 };
	struct tw_host t;
	bool ok = true;

	must(tw_host_get(state, &alice, h->name, &t, &err), &err);
	if (!t.held_reason)
		goto out;
	if (strstr(t.held_reason, "not possible") ||
	    strstr(t.held_reason, "can't be recorded") ||
	    strstr(t.held_reason, "no verdict"))
		broken(0, "%s is held: %s", h->name, t.held_reason);
	/* no disk is put back here */
	if (strstr(t.held_reason, "went back in time") && !h->was_wiped)
		broken(0, "%s is held: %s", h->name, t.held_reason);
	if (strstr(t.held_reason, "this state is an old copy")) {
		sim.behind++;
		if (sim.restores + sim.clones == 0)
			broken(0, "%s is held: %s", h->name, t.held_reason);
	}
	if (strstr(t.held_reason, "spool lost") ||
	    strstr(t.held_reason, "the host went back in time: it knows"))
		ok = accept_spool(h, &t);
	else if (strstr(t.held_reason, "lost change"))
		declare_lost(h, "the host has lost it");
	if (ok) {
		trace("alice releases %s", h->name);
		must(tw_host_release_hold(state, &alice, h->name, &err), &err);
		h->last_spoilt = sim.now;
	}
out:
	tw_host_release(&t);
}

void people_mend(void)
{
	struct tw_err err = { 0 };
	struct tw_host *list = NULL;
	size_t n = 0;

	must(tw_host_select(state, &alice, NULL, &list, &n, &err), &err);
	for (size_t i = 0; i < n; i++)
		if (list[i].held_reason)
			mend(host_find(list[i].name));
	tw_host_list_free(list, n);
}

void people_verify(void)
{
	struct tw_err err = { 0 };
	const uint8_t none[TW_SHA256_LEN] = { 0 };
	int64_t count, bad;

	if (tw_audit_verify(state, &alice, false, 0, none, &count, &bad,
	    NULL, &err))
		broken(7, "the audit trail: %s", err.msg);
	if (tw_store_check(state, &err))
		broken(7, "the state: %s", err.msg);
}

void people_act(void)
{
	struct host *h = &hosts[chance((uint64_t)nhosts)];

	switch (chance(14)) {
	case 13:
		if (one_in(3))
			let_bob(!tower->bob_may);
		break;
	case 12:
		/* its host is alive, and may end it all the same */
		if (!h->is_healthy && one_in(2))
			declare_lost(h, "alice is impatient");
		break;
	case 0:
	case 1:
		cancel();
		break;
	case 2:
		if (!h->is_healthy || one_in(3))
			hold_or_release(h);
		break;
	case 3:
	case 4:
		mend(h);
		break;
	default:
		people_file(h);
		break;
	}
}
