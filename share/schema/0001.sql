-- 0001.sql - the state of a tower, version 1
--
-- Instants are integer milliseconds since 1970 UTC; NULL is "not yet" or
-- "none".  Flags are 0 or 1.  Numbers people see (change.num, audit.seq) count
-- within an organisation; ids never leave the library.

-- A tenant.  Its id is random, below 2^53: it names the audit chain outside,
-- and must not tell how many others there are.
CREATE TABLE org (
	id INTEGER PRIMARY KEY CHECK (id > 0),
	name TEXT NOT NULL,
	created INTEGER NOT NULL,
	removed INTEGER,		-- kept for its history
	next_change INTEGER NOT NULL DEFAULT 1,	-- the next change's number
	next_grant INTEGER NOT NULL DEFAULT 1	-- the next grant's
) STRICT;
CREATE UNIQUE INDEX org_name ON org (name) WHERE removed IS NULL;

-- A person or robot that acts.
CREATE TABLE operator (
	id INTEGER PRIMARY KEY,
	login TEXT NOT NULL UNIQUE,
	admin INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
					-- of the tower: makes organisations
	created INTEGER NOT NULL
) STRICT;

-- Which organisations an operator works for.
CREATE TABLE member (
	org_id INTEGER NOT NULL REFERENCES org,
	operator_id INTEGER NOT NULL REFERENCES operator,
	since INTEGER NOT NULL,
	PRIMARY KEY (org_id, operator_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_operator ON member (operator_id);

-- What an operator may do for an organisation.  A grant whose hosts and app
-- are both NULL holds for the whole organisation.
CREATE TABLE permit (
	id INTEGER PRIMARY KEY,
	org_id INTEGER NOT NULL,
	num INTEGER NOT NULL,		-- the number people see
	operator_id INTEGER NOT NULL,
	permission TEXT NOT NULL CHECK (permission IN ('view', 'deploy',
	    'change', 'host', 'audit', 'admin')),
	hosts TEXT,			-- TARGETS, evaluated when used
	host TEXT,			-- the name, where hosts is just one
	app TEXT,			-- a pattern of app names
	until INTEGER,			-- holds before that instant
	created INTEGER NOT NULL,
	created_by TEXT NOT NULL,	-- a login
	UNIQUE (org_id, num),
	FOREIGN KEY (org_id, operator_id) REFERENCES member ON DELETE CASCADE
) STRICT;
CREATE INDEX permit_operator ON permit (org_id, operator_id, permission,
    host);

-- A machine the tower reaches, and the head of its queue.
CREATE TABLE host (
	id INTEGER PRIMARY KEY,
	org_id INTEGER NOT NULL REFERENCES org,
	name TEXT NOT NULL,
	address TEXT NOT NULL,		-- as the operator gave it
	port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
	user TEXT NOT NULL,		-- login on the host
	via TEXT,			-- ProxyJump as the operator gave it
	identity TEXT,			-- a private key file of the tower's own
	sudo INTEGER NOT NULL DEFAULT 0 CHECK (sudo IN (0, 1)),
	spool TEXT,			-- NULL: the default place
	transport TEXT NOT NULL DEFAULT 'auto'
	    CHECK (transport IN ('auto', 'libssh2', 'ssh')),
	transport_used TEXT,		-- what 'auto' came to at the last check
	port_given INTEGER NOT NULL DEFAULT 0 CHECK (port_given IN (0, 1)),
	user_given INTEGER NOT NULL DEFAULT 0 CHECK (user_given IN (0, 1)),
	own_config INTEGER NOT NULL DEFAULT 1 CHECK (own_config IN (0, 1)),
					-- the owner's ~/.ssh counts; else the
					-- organisation's key alone logs in
	sshconfig TEXT,			-- what `ssh -G` said, as JSON
	hostkey TEXT NOT NULL,		-- pinned: "TYPE BASE64"
	spool_id TEXT,			-- pinned; NULL: never logged in yet
	queue_id TEXT NOT NULL UNIQUE,	-- random: names this queue to the host
	epoch INTEGER NOT NULL DEFAULT 1,	-- grows at a restore
	next_seq INTEGER NOT NULL DEFAULT 1,
	acked_seq INTEGER NOT NULL DEFAULT 0,	-- all up to here is stored
	fence_epoch INTEGER NOT NULL DEFAULT 0,	-- the highest fence the host
	fence_seq INTEGER NOT NULL DEFAULT 0,	-- has reported
	held_reason TEXT,		-- NULL: not held
	held_since INTEGER,
	held_by TEXT,			-- a login, or "tower"
	unhold INTEGER NOT NULL DEFAULT 0 CHECK (unhold IN (0, 1)),
					-- tell the host to drop its mark
	failures INTEGER NOT NULL DEFAULT 0,	-- temporary ones in a row
	next_attempt INTEGER,		-- no contact before this
	last_error TEXT,
	last_error_at INTEGER,
	last_seen INTEGER,		-- the last time it answered
	facts TEXT,			-- gathered by check, as JSON
	facts_at INTEGER,
	created INTEGER NOT NULL,
	leaving INTEGER NOT NULL DEFAULT 0 CHECK (leaving IN (0, 1)),
					-- it said that the tower's key and
					-- files are off; not yet seen
	revoked INTEGER,		-- kept for its history: no contact
	revoked_by TEXT,		-- a login
	UNIQUE (org_id, name),
	CHECK (own_config OR (identity IS NULL AND sshconfig IS NULL))
) STRICT;

CREATE TABLE label (
	host_id INTEGER NOT NULL REFERENCES host ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (host_id, key)
) STRICT, WITHOUT ROWID;

-- Programs and source files, each once.
CREATE TABLE content (
	hash BLOB PRIMARY KEY CHECK (length(hash) = 32),	-- SHA-256
	data BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A version of an app: what an organisation may deploy.  Those of a file are
-- never changed; YunoHost's catalogue is replaced as a whole.
CREATE TABLE app (
	id INTEGER PRIMARY KEY,
	org_id INTEGER NOT NULL REFERENCES org,
	name TEXT NOT NULL,
	version TEXT NOT NULL,		-- '': the catalogue does not say
	source TEXT NOT NULL CHECK (source IN ('file', 'yunohost')),
	title TEXT NOT NULL,
	description TEXT,
	state TEXT,			-- as YunoHost judges it: working, ...
	level INTEGER,			-- and how well: 0 to 10
	category TEXT,
	archs TEXT,			-- with commas; NULL: any
	file BLOB REFERENCES content (hash),	-- the app file's text
	bundle BLOB REFERENCES content (hash),	-- the files its steps name
	detail TEXT,			-- what YunoHost's has to say, as JSON
	added INTEGER NOT NULL,
	added_by TEXT NOT NULL,		-- a login
	UNIQUE (org_id, name, version, source),
	CHECK ((source = 'file') = (file IS NOT NULL))
) STRICT;
CREATE INDEX app_file ON app (file) WHERE file IS NOT NULL;
CREATE INDEX app_bundle ON app (bundle) WHERE bundle IS NOT NULL;

-- An app on a host.  version and params are what is there; what a change under
-- way would make of it stands in that.
CREATE TABLE instance (
	id INTEGER PRIMARY KEY,
	org_id INTEGER NOT NULL REFERENCES org,
	host_id INTEGER NOT NULL REFERENCES host ON DELETE CASCADE,
	name TEXT NOT NULL,
	app TEXT NOT NULL,
	version TEXT NOT NULL,
	source TEXT NOT NULL CHECK (source IN ('file', 'yunohost')),
	params TEXT NOT NULL,		-- values without secrets, as JSON
	state TEXT NOT NULL CHECK (state IN ('deploying', 'running',
	    'stopped', 'upgrading', 'undeploying', 'failed', 'gone')),
	was TEXT CHECK (was IN ('running', 'stopped', 'failed')),
					-- before the change under way
	next_version TEXT,		-- of an upgrade that failed, until one
					-- succeeds
	change_id INTEGER REFERENCES change,	-- the latest
	created INTEGER NOT NULL,
	changed INTEGER NOT NULL	-- its state
) STRICT;
-- what is gone stays for the history of its changes
CREATE UNIQUE INDEX instance_name ON instance (host_id, name)
    WHERE state <> 'gone';
CREATE INDEX instance_app ON instance (org_id, app) WHERE state <> 'gone';
CREATE INDEX instance_host ON instance (host_id);

-- A change request for one host.
CREATE TABLE change (
	id INTEGER PRIMARY KEY,
	org_id INTEGER NOT NULL REFERENCES org,
	num INTEGER NOT NULL,		-- the number people see
	uid TEXT NOT NULL UNIQUE,	-- random: the job's name on the host
	nonce TEXT NOT NULL,		-- tags the host's event lines
	host_id INTEGER REFERENCES host ON DELETE SET NULL,
	host_name TEXT NOT NULL,	-- as it was when filed
	operator_id INTEGER NOT NULL REFERENCES operator,
	status TEXT NOT NULL DEFAULT 'queued' CHECK (status IN ('queued',
	    'running', 'succeeded', 'rolled-back', 'failed', 'cancelled',
	    'unknown')),
	reason TEXT,			-- why it ended so; NULL when plain
	title TEXT NOT NULL,
	why TEXT,			-- the operator's --reason
	batch_key TEXT,			-- the operator's --key
	batch_hash BLOB,		-- what was filed under that key
	file BLOB REFERENCES content (hash),	-- the change file's text
	params TEXT NOT NULL DEFAULT '{}',	-- values, as JSON
	program BLOB NOT NULL REFERENCES content (hash),
	blob BLOB REFERENCES content (hash),	-- contents of file steps
	room INTEGER NOT NULL,		-- bytes for the journal on the host
	nsteps INTEGER NOT NULL CHECK (nsteps > 0),
	after_failure TEXT NOT NULL DEFAULT 'go-on'
	    CHECK (after_failure IN ('go-on', 'hold')),
	filed INTEGER NOT NULL,
	joins INTEGER NOT NULL,		-- place in the queue
	not_before INTEGER,
	not_after INTEGER,
	retry_of INTEGER REFERENCES change,
	needs TEXT NOT NULL DEFAULT 'change'
	    CHECK (needs IN ('change', 'deploy')),	-- the permission
	app TEXT,			-- NULL: of no app
	app_version TEXT,
	action TEXT CHECK (action IN ('deploy', 'start', 'stop', 'upgrade',
	    'undeploy', 'backup', 'restore', 'check')),
	instance_id INTEGER REFERENCES instance ON DELETE SET NULL,
	successor_user TEXT,		-- the login that takes the place of
	successor_port INTEGER		-- its host's; NULL: as it is
	    CHECK (successor_port BETWEEN 1 AND 65535),
	successor_sudo INTEGER CHECK (successor_sudo IN (0, 1)),
	successor_at INTEGER,		-- the host let it in first
	cancel_by TEXT,			-- asked for while it ran
	cancel_at INTEGER,
	epoch INTEGER,			-- fencing token, taken at the start
	seq INTEGER,
	started INTEGER,
	doubt INTEGER NOT NULL DEFAULT 0 CHECK (doubt IN (0, 1)),
					-- while not accepted: a request may
					-- have reached the host, unheard
	accepted INTEGER,		-- the host has it: resume only
	ended INTEGER,
	life INTEGER NOT NULL DEFAULT 0,	-- how far the host's stream
	offset INTEGER NOT NULL DEFAULT 0,	-- is stored
	next_event INTEGER NOT NULL DEFAULT 1,
	clock INTEGER NOT NULL DEFAULT 0,	-- wall minus uptime of that
						-- life, milliseconds
	phase TEXT NOT NULL DEFAULT 'do' CHECK (phase IN ('do', 'undo')),
	cur_step INTEGER NOT NULL DEFAULT 0,	-- whose output comes now
	UNIQUE (org_id, num)
) STRICT;
-- the pending ones of a host, in order; counted without their rows
CREATE INDEX change_queue ON change (host_id, joins, id, status, not_before)
    WHERE status IN ('queued', 'running');
CREATE INDEX change_pending ON change (org_id, num)
    WHERE status IN ('queued', 'running');
CREATE INDEX change_host ON change (host_id, id);
-- all of a host, under the name it had
CREATE INDEX change_name ON change (org_id, host_name, num);
CREATE INDEX change_key ON change (org_id, batch_key)
    WHERE batch_key IS NOT NULL;
-- one at a time on each host
CREATE UNIQUE INDEX change_running ON change (host_id)
    WHERE status = 'running';
-- what the clock alone will change
CREATE INDEX change_not_before ON change (host_id, not_before)
    WHERE status = 'queued' AND not_before IS NOT NULL;
CREATE INDEX change_not_after ON change (not_after)
    WHERE status = 'queued' AND not_after IS NOT NULL;
-- is a content still named?
CREATE INDEX change_program ON change (program);
CREATE INDEX change_file ON change (file) WHERE file IS NOT NULL;
CREATE INDEX change_blob ON change (blob) WHERE blob IS NOT NULL;
-- of an instance that goes with its host
CREATE INDEX change_instance ON change (instance_id)
    WHERE instance_id IS NOT NULL;
-- what is old enough to go, and whether something names it
CREATE INDEX change_ended ON change (org_id, ended, id)
    WHERE ended IS NOT NULL;
CREATE INDEX change_retry ON change (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX instance_change ON instance (change_id)
    WHERE change_id IS NOT NULL;
CREATE INDEX instance_gone ON instance (org_id, changed)
    WHERE state = 'gone';

-- What hooks are to be told, until each of them was (towerify-hooks(7)).
CREATE TABLE event (
	id INTEGER PRIMARY KEY,
	org_id INTEGER NOT NULL REFERENCES org,
	at INTEGER NOT NULL,
	what TEXT NOT NULL CHECK (what IN ('succeeded', 'rolled-back',
	    'failed', 'held')),
	host TEXT NOT NULL,		-- its name then
	change_id INTEGER REFERENCES change ON DELETE SET NULL,
	reason TEXT
) STRICT;
CREATE INDEX event_change ON event (change_id) WHERE change_id IS NOT NULL;
CREATE TABLE delivery (
	event_id INTEGER NOT NULL REFERENCES event ON DELETE CASCADE,
	hook TEXT NOT NULL,		-- the program's name
	tries INTEGER NOT NULL CHECK (tries > 0),	-- that have ended
	next INTEGER,			-- not before; NULL: it has had it
	PRIMARY KEY (event_id, hook)
) STRICT, WITHOUT ROWID;

-- Secret parameters of a change, sealed; erased when it ends.
CREATE TABLE secret (
	change_id INTEGER NOT NULL REFERENCES change ON DELETE CASCADE,
	name TEXT NOT NULL,		-- of the parameter
	sealed BLOB,			-- NULL: erased
	PRIMARY KEY (change_id, name)
) STRICT, WITHOUT ROWID;

-- What became of each step.
CREATE TABLE step (
	change_id INTEGER NOT NULL REFERENCES change ON DELETE CASCADE,
	k INTEGER NOT NULL CHECK (k > 0),
	name TEXT NOT NULL,
	kind TEXT NOT NULL,		-- run, file, reboot, or a step kind's name
	undoable TEXT NOT NULL,		-- script, auto, nothing, …
	has_check INTEGER NOT NULL,	-- has a check before
	retries INTEGER NOT NULL,
	timeout INTEGER NOT NULL,	-- milliseconds
	longest INTEGER NOT NULL,	-- the same; of all attempts, with pauses
	confirm INTEGER NOT NULL DEFAULT 0,	-- the same; 0: needs none
	state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting',
	    'checking', 'running', 'retrying', 'confirming', 'done',
	    'unchanged', 'failed', 'timed-out', 'interrupted')),
	decided TEXT,			-- the phase that decided
	code INTEGER,			-- its exit status
	attempts INTEGER NOT NULL DEFAULT 0,
	started INTEGER,
	awaited INTEGER,		-- since when its confirmation
	ended INTEGER,
	undo_state TEXT CHECK (undo_state IN ('running', 'done', 'failed',
	    'timed-out', 'interrupted', 'impossible')),
	undo_code INTEGER,
	undo_started INTEGER,
	undo_ended INTEGER,
	out_bytes INTEGER NOT NULL DEFAULT 0,	-- stored, of do and undo
	out_cut INTEGER NOT NULL DEFAULT 0,	-- dropped
	out_hash BLOB,			-- SHA-256 of what was stored (do)
	PRIMARY KEY (change_id, k)
) STRICT, WITHOUT ROWID;

-- The output of steps, raw, in chunks of at most 64 KiB.
CREATE TABLE output (
	id INTEGER PRIMARY KEY,		-- order of arrival
	change_id INTEGER NOT NULL REFERENCES change ON DELETE CASCADE,
	k INTEGER NOT NULL,
	phase TEXT NOT NULL CHECK (phase IN ('do', 'undo')),
	at INTEGER NOT NULL,
	cut INTEGER NOT NULL DEFAULT 0,	-- bytes dropped before this chunk
	data BLOB NOT NULL CHECK (length(data) <= 65536)
) STRICT;
CREATE INDEX output_change ON output (change_id, id);
CREATE INDEX output_step ON output (change_id, k, phase, id);

-- How much output there is, so that nobody needs to count it.
CREATE TABLE usage (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	output INTEGER NOT NULL		-- bytes
) STRICT;
INSERT INTO usage (id, output) VALUES (1, 0);
CREATE TRIGGER output_more AFTER INSERT ON output BEGIN
	UPDATE usage SET output = output + length(NEW.data);
END;
CREATE TRIGGER output_less AFTER DELETE ON output BEGIN
	UPDATE usage SET output = output - length(OLD.data);
END;

-- How changes ended, for monitoring: counters that pruning takes nothing from.
CREATE TABLE tally (
	org_id INTEGER NOT NULL REFERENCES org,
	status TEXT NOT NULL,
	changes INTEGER NOT NULL,
	ran INTEGER NOT NULL,		-- those of them that had started
	wait INTEGER NOT NULL,		-- of those: milliseconds before
	run INTEGER NOT NULL,		-- and from the start to the end
	retries INTEGER NOT NULL,	-- attempts of steps beyond the first
	PRIMARY KEY (org_id, status)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER change_tally AFTER UPDATE OF ended ON change
WHEN OLD.ended IS NULL AND NEW.ended IS NOT NULL BEGIN
	INSERT INTO tally (org_id, status, changes, ran, wait, run, retries)
	VALUES (NEW.org_id, NEW.status, 1, NEW.started IS NOT NULL,
	    coalesce(max(NEW.started - NEW.joins, 0), 0),
	    coalesce(max(NEW.ended - NEW.started, 0), 0),
	    (SELECT coalesce(sum(attempts - 1), 0) FROM step
		WHERE change_id = NEW.id AND attempts > 1))
	ON CONFLICT (org_id, status) DO UPDATE SET
	    changes = changes + excluded.changes,
	    ran = ran + excluded.ran,
	    wait = wait + excluded.wait,
	    run = run + excluded.run,
	    retries = retries + excluded.retries;
END;

-- Who did what.  chain 0 is the tower's own, else it is an org's id.
CREATE TABLE audit (
	chain INTEGER NOT NULL,
	seq INTEGER NOT NULL CHECK (seq > 0),
	at INTEGER NOT NULL,
	operator TEXT NOT NULL,		-- a login, or "tower"
	action TEXT NOT NULL,		-- host.add, change.file, step.end, …
	host TEXT,
	change_num INTEGER CHECK (change_num > 0),
	detail TEXT NOT NULL,		-- JSON
	prev BLOB NOT NULL CHECK (length(prev) = 32),
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_host ON audit (chain, host, seq) WHERE host IS NOT NULL;
CREATE INDEX audit_change ON audit (chain, change_num, seq)
    WHERE change_num IS NOT NULL;
CREATE INDEX audit_at ON audit (chain, at);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
	SELECT raise(ABORT, 'audit records are never changed');
END;
-- pruning puts an anchor first: records below it may then go
CREATE TABLE audit_anchor (
	chain INTEGER PRIMARY KEY,
	seq INTEGER NOT NULL CHECK (seq > 0),	-- the last record pruned
	hash BLOB NOT NULL CHECK (length(hash) = 32)	-- and its hash
) STRICT;
CREATE TRIGGER audit_anchor_no_way_back BEFORE UPDATE ON audit_anchor
WHEN NEW.chain <> OLD.chain OR NEW.seq <= OLD.seq BEGIN
	SELECT raise(ABORT, 'an audit anchor only moves on');
END;
CREATE TRIGGER audit_anchor_no_delete BEFORE DELETE ON audit_anchor BEGIN
	SELECT raise(ABORT, 'audit anchors are never deleted');
END;
-- INSERT OR REPLACE would delete without asking audit_no_delete
CREATE TRIGGER audit_append_only BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit a
    WHERE a.chain = NEW.chain AND a.seq >= NEW.seq) BEGIN
	SELECT raise(ABORT, 'audit records are only added at the end');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit_anchor a
    WHERE a.chain = OLD.chain AND a.seq >= OLD.seq) BEGIN
	SELECT raise(ABORT, 'audit records are never deleted');
END;

PRAGMA application_id = 1953462130;	-- "towr"
PRAGMA user_version = 1;
