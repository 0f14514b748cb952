"""The only SQL of kvmperf: tables, sessions, queries, writes, migrations. Returns frozen values, never ORM rows."""
