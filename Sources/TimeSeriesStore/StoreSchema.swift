import GRDB

/// The tables, by release. A migration that was shipped is never edited; a new one is added behind it.
enum StoreSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 readings, cases, journal") { database in
            try database.execute(
                sql: """
                    CREATE TABLE series (
                        id INTEGER PRIMARY KEY, meter TEXT NOT NULL, point TEXT NOT NULL, unit TEXT NOT NULL,
                        UNIQUE (meter, point)
                    ) STRICT;
                    -- Times are Unix milliseconds; value is null where there is none; raw is big-endian words.
                    CREATE TABLE readings (
                        series INTEGER NOT NULL REFERENCES series (id), at INTEGER NOT NULL, received INTEGER NOT NULL,
                        device INTEGER, value REAL, quality INTEGER NOT NULL, raw BLOB,
                        PRIMARY KEY (series, at)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE cases (
                        id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, is_open INTEGER NOT NULL, kind TEXT NOT NULL,
                        subject_type TEXT NOT NULL, subject_id TEXT NOT NULL, opened INTEGER NOT NULL, body BLOB NOT NULL
                    ) STRICT;
                    CREATE INDEX cases_open ON cases (is_open, number);
                    CREATE TABLE notices (
                        id TEXT PRIMARY KEY, case_id TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
                        sent INTEGER, body BLOB NOT NULL
                    ) STRICT;
                    CREATE INDEX notices_of_case ON notices (case_id);
                    CREATE INDEX notices_by_state ON notices (state);
                    CREATE TABLE watches (household TEXT PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
                    CREATE TABLE journal (
                        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, elapsed INTEGER NOT NULL, boot TEXT NOT NULL,
                        kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL
                    ) STRICT;
                    CREATE TABLE audit (
                        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
                        subject TEXT NOT NULL, note TEXT NOT NULL, hash BLOB NOT NULL
                    ) STRICT;
                    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2 corrections") { database in
            try database.execute(
                sql: """
                    -- A request to look at readings again. It stands beside them and never changes one.
                    CREATE TABLE corrections (
                        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, meter TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                        who TEXT NOT NULL, note TEXT NOT NULL, value REAL, state TEXT NOT NULL, decided INTEGER, decided_by TEXT, decision TEXT
                    ) STRICT;
                    CREATE INDEX corrections_of_meter ON corrections (meter, first);
                    """)
        }
        migrator.registerMigration("3 sealed days") { database in
            try database.execute(
                sql: """
                    -- The readings of one series and day (UTC), packed: see ReadingBlock. `thinned`: only one in a while was kept.
                    CREATE TABLE blocks (
                        series INTEGER NOT NULL, day INTEGER NOT NULL, thinned INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (series, day)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX blocks_by_day ON blocks (day);
                    """)
        }
        migrator.registerMigration("4 spool") { database in
            try database.execute(
                sql: """
                    -- What waits to be sent upstream: see SpoolEntry. Numbers are never used twice, so that a receiver knows what it has.
                    CREATE TABLE spool (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("5 erased, spool tally, indexes") { database in
            try database.execute(
                sql: """
                    -- Whose data was erased and must not be written again: see Erasure.
                    CREATE TABLE erased (subject TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                    -- What waits in the spool, by kind, kept as it comes and goes: nobody counts through hundreds of megabytes.
                    CREATE TABLE spool_tally (kind INTEGER PRIMARY KEY, entries INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
                    INSERT INTO spool_tally SELECT kind, count(*), sum(length(CAST(body AS BLOB))) FROM spool GROUP BY kind;
                    CREATE TRIGGER spool_comes AFTER INSERT ON spool BEGIN
                        INSERT INTO spool_tally VALUES (NEW.kind, 1, length(CAST(NEW.body AS BLOB)))
                        ON CONFLICT (kind) DO UPDATE SET entries = entries + 1, bytes = bytes + excluded.bytes;
                    END;
                    CREATE TRIGGER spool_goes AFTER DELETE ON spool BEGIN
                        UPDATE spool_tally SET entries = entries - 1, bytes = bytes - length(CAST(OLD.body AS BLOB)) WHERE kind = OLD.kind;
                    END;
                    CREATE INDEX spool_by_kind ON spool (kind);
                    CREATE INDEX spool_by_time ON spool (at);
                    CREATE INDEX spool_by_subject ON spool (subject);
                    CREATE INDEX journal_of_subject ON journal (subject, kind, at);
                    CREATE INDEX journal_by_time ON journal (at);
                    CREATE INDEX cases_by_opening ON cases (opened);
                    CREATE INDEX cases_of_subject ON cases (subject_type, subject_id);
                    CREATE INDEX blocks_unthinned ON blocks (day) WHERE thinned = 0;
                    """)
        }
        return migrator
    }
}
