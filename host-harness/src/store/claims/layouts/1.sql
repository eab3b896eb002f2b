-- A store of layout 1, as the program of that layout wrote it: sqlite3 mesh.db .dump, with the two pragmas that a dump leaves out.
BEGIN TRANSACTION;
PRAGMA application_id = 1835365224;
PRAGMA user_version = 1;
CREATE TABLE instance (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    connector   TEXT NOT NULL,
    watermark   TEXT
);
INSERT INTO instance VALUES(1,'default','Fake','w2');
CREATE TABLE object_type (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    class           TEXT NOT NULL,
    from_attribute  TEXT,
    to_attribute    TEXT,
    scoped          INTEGER NOT NULL,
    instance_id     INTEGER NOT NULL REFERENCES instance (id)
);
INSERT INTO object_type VALUES(1,'User','Object',NULL,NULL,0,1);
INSERT INTO object_type VALUES(2,'Group','Object',NULL,NULL,0,1);
INSERT INTO object_type VALUES(3,'GroupMember','Edge','groupId','memberId',1,1);
INSERT INTO object_type VALUES(4,'RoleAssignment','Edge','principalId','roleId',0,1);
INSERT INTO object_type VALUES(5,'SignIn','Event',NULL,NULL,0,1);
CREATE TABLE node (
    id          INTEGER PRIMARY KEY,
    source_id   TEXT NOT NULL UNIQUE,
    deleted     INTEGER NOT NULL DEFAULT 0
);
INSERT INTO node VALUES(1,'u1',0);
INSERT INTO node VALUES(2,'u2',0);
INSERT INTO node VALUES(3,'u3',1);
INSERT INTO node VALUES(4,'g1',0);
INSERT INTO node VALUES(5,'g2',0);
INSERT INTO node VALUES(6,'d1',0);
INSERT INTO node VALUES(7,'r1',0);
INSERT INTO node VALUES(8,'e1',0);
INSERT INTO node VALUES(9,'u9',1);
CREATE TABLE object (
    id          INTEGER PRIMARY KEY,
    node_id     INTEGER NOT NULL,
    type_id     INTEGER NOT NULL,
    external_id TEXT,
    -- JSON object, keys sorted, no nulls: an attribute that is null or unknown is not there.
    attributes  TEXT NOT NULL,
    hidden      INTEGER NOT NULL DEFAULT 0,
    touch       INTEGER NOT NULL,
    UNIQUE (node_id, type_id)
);
INSERT INTO object VALUES(1,1,1,'u1','{"displayName":"Adele Vance","mail":"AdeleV@contoso.com"}',0,2);
INSERT INTO object VALUES(2,2,1,'u2','{"displayName":"Alex Wilber"}',0,2);
INSERT INTO object VALUES(3,3,1,'u3','{"displayName":"Diego Siciliani"}',1,2);
INSERT INTO object VALUES(4,4,2,'g1','{"displayName":"Sales"}',0,3);
INSERT INTO object VALUES(5,5,2,'g2','{"displayName":"Retail"}',0,3);
INSERT INTO object VALUES(6,8,5,'e1','{"appDisplayName":"Office 365"}',0,8);
CREATE TABLE edge (
    type_id     INTEGER NOT NULL,
    from_id     INTEGER NOT NULL,
    to_id       INTEGER NOT NULL,
    key         TEXT NOT NULL,
    attributes  TEXT NOT NULL,
    touch       INTEGER NOT NULL,
    PRIMARY KEY (type_id, from_id, to_id, key)
) WITHOUT ROWID;
INSERT INTO edge VALUES(3,4,1,'','{"memberType":"User"}',10);
INSERT INTO edge VALUES(3,5,2,'','{"memberType":"User"}',4);
INSERT INTO edge VALUES(3,5,6,'','{"memberType":"User"}',4);
INSERT INTO edge VALUES(4,1,7,'a1','{"scopeId":"/"}',7);
INSERT INTO edge VALUES(4,1,7,'a2','{"scopeId":"/"}',7);
INSERT INTO edge VALUES(4,3,7,'a3','{"scopeId":"/"}',7);
CREATE TABLE set_mark (
    type_id     INTEGER PRIMARY KEY,
    set_id      TEXT NOT NULL,
    mode        TEXT NOT NULL,
    floor       INTEGER NOT NULL
);
INSERT INTO set_mark VALUES(1,'d1','Delta',9);
INSERT INTO set_mark VALUES(2,'s1','Full',3);
INSERT INTO set_mark VALUES(3,'s2','Full',10);
INSERT INTO set_mark VALUES(4,'s1','Full',7);
INSERT INTO set_mark VALUES(5,'s1','Append',8);
CREATE TABLE scope_mark (
    type_id     INTEGER NOT NULL,
    node_id     INTEGER NOT NULL,
    touch       INTEGER NOT NULL,
    complete    INTEGER NOT NULL,
    PRIMARY KEY (type_id, node_id)
) WITHOUT ROWID;
INSERT INTO scope_mark VALUES(3,4,11,1);
INSERT INTO scope_mark VALUES(3,5,12,0);
CREATE TABLE clock (now INTEGER NOT NULL);
INSERT INTO clock VALUES(12);
CREATE TABLE run (
    id              INTEGER PRIMARY KEY,
    instance_id     INTEGER NOT NULL REFERENCES instance (id),
    process         INTEGER NOT NULL,
    started_ms      INTEGER NOT NULL,
    ended_ms        INTEGER,
    outcome         TEXT NOT NULL,
    status          INTEGER,
    full            INTEGER NOT NULL,
    watermark_from  TEXT,
    watermark_to    TEXT,
    report          TEXT
);
INSERT INTO run VALUES(1,1,27694,1796092747114,1796092747116,'Succeeded',1,1,NULL,'60c5590f72ee','{"Outcome":"Succeeded","Tally":{"IssueCount":0,"Issues":[],"Notes":[],"Records":29,"Types":{"Group":{"Added":2,"Changed":0,"Complete":true,"Deleted":0,"Ignored":0,"Issues":0,"LeftScope":0,"Modes":["Full"],"RemovedByAbsence":0,"Scopes":0,"Unchanged":0,"UnreadScopes":0,"WarnedScopes":0},"GroupMember":{"Added":4,"Changed":0,"Complete":true,"Deleted":0,"Ignored":0,"Issues":0,"LeftScope":0,"Modes":["Full"],"RemovedByAbsence":0,"Scopes":2,"Unchanged":0,"UnreadScopes":0,"WarnedScopes":0},"RoleAssignment":{"Added":3,"Changed":0,"Complete":true,"Deleted":0,"Ignored":0,"Issues":0,"LeftScope":0,"Modes":["Full"],"RemovedByAbsence":0,"Scopes":0,"Unchanged":0,"UnreadScopes":0,"WarnedScopes":0},"SignIn":{"Added":1,"Changed":0,"Complete":true,"Deleted":0,"Ignored":0,"Issues":0,"LeftScope":0,"Modes":["Append"],"RemovedByAbsence":0,"Scopes":0,"Unchanged":0,"UnreadScopes":0,"WarnedScopes":0},"User":{"Added":3,"Changed":0,"Complete":true,"Deleted":1,"Ignored":0,"Issues":0,"LeftScope":0,"Modes":["Full","Delta"],"RemovedByAbsence":0,"Scopes":0,"Unchanged":0,"UnreadScopes":0,"WarnedScopes":0}},"UnknownRecords":0}}');
INSERT INTO run VALUES(2,1,27694,1796092747116,NULL,'Running',NULL,0,'60c5590f72ee',NULL,NULL);
CREATE TABLE removal_count (
    type_id     INTEGER NOT NULL,
    by_id       INTEGER NOT NULL,
    held        INTEGER NOT NULL,
    removed     INTEGER NOT NULL,
    settled     INTEGER NOT NULL,
    PRIMARY KEY (type_id, by_id)
) WITHOUT ROWID;
INSERT INTO removal_count VALUES(3,3,4,1,0);
CREATE TABLE removal_shown (
    instance_id INTEGER NOT NULL,
    type_id     INTEGER NOT NULL,
    up_to       INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    percent     INTEGER NOT NULL,
    PRIMARY KEY (instance_id, type_id)
) WITHOUT ROWID;
INSERT INTO removal_shown VALUES(1,1,2,1,10);
CREATE TABLE scope_warning (
    type_id     INTEGER NOT NULL,
    node_id     INTEGER NOT NULL,
    PRIMARY KEY (type_id, node_id)
) WITHOUT ROWID;
INSERT INTO scope_warning VALUES(3,5);
CREATE TABLE deleted_mark (
    node_id     INTEGER PRIMARY KEY,
    type_id     INTEGER NOT NULL,
    touch       INTEGER NOT NULL
);
INSERT INTO deleted_mark VALUES(3,1,9);
INSERT INTO deleted_mark VALUES(9,1,9);
CREATE INDEX edge_by_member ON edge (to_id);
CREATE UNIQUE INDEX edge_by_key ON edge (type_id, key) WHERE key <> '';
COMMIT;
