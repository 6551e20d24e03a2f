SET threads = 1

SELECT current_setting('threads')

SET threads TO 2

RESET threads

SET memory_limit = '1GB'

SET memory_limit = 'lots'

SET no_such_setting = 1

SET TimeZone = 'Europe/Zurich'

SELECT current_setting('TimeZone')

SELECT '2024-07-01 12:00:00'::TIMESTAMPTZ::VARCHAR

SELECT TIMESTAMPTZ '2024-07-01 12:00:00+00'

SELECT TIMESTAMPTZ '2024-07-01 12:00:00+00', 1, NULL::TIMESTAMPTZ, ['2024-01-01 00:00:00+00'::TIMESTAMPTZ]

SET TimeZone = 'UTC'

SELECT TIMESTAMPTZ '2024-07-01 12:00:00+00', {'t': '2024-01-01 00:00:00.123456+00'::TIMESTAMPTZ}

SELECT TIMESTAMP '2024-07-01 12:00:00' AT TIME ZONE 'America/New_York', timezone('Asia/Tokyo', TIMESTAMPTZ '2024-07-01 12:00:00+00')

SELECT 'infinity'::TIMESTAMPTZ::VARCHAR, '-infinity'::DATE::VARCHAR

SELECT TIMETZ '12:00:00+02'

SET default_order = 'DESC'

SELECT * FROM range(3) ORDER BY range

RESET default_order

SET default_null_order = 'nulls_last'

SELECT * FROM (VALUES (1), (NULL)) AS t(x) ORDER BY x

RESET default_null_order

SET integer_division = true

SELECT 7 / 2

RESET integer_division

SET enable_progress_bar = false

PRAGMA version

PRAGMA database_list

PRAGMA table_info('nope')

CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR DEFAULT 'x')

PRAGMA table_info('t')

PRAGMA show_tables

PRAGMA storage_info('t')

PRAGMA enable_object_cache

PRAGMA nope

CALL pragma_table_info('t')

SELECT * FROM pragma_table_info('t')

CALL nope()

SELECT name, value FROM duckdb_settings() WHERE name = 'default_order'

SELECT extension_name FROM duckdb_extensions() WHERE loaded AND extension_name IN ('parquet', 'json', 'icu') ORDER BY 1

LOAD parquet

LOAD no_such_extension

USE main

USE nope

EXPLAIN ANALYZE SELECT nope

SHOW TABLES

SHOW nope

SELECT database_name, internal FROM duckdb_databases() ORDER BY 1

SET SESSION default_collation = 'NOCASE'

SELECT 'a' = 'A'

RESET default_collation

SELECT 'a' COLLATE NOCASE = 'A', 'ä' COLLATE NOACCENT = 'a'

SET VARIABLE x = [1, 2, 3]

SELECT getvariable('x')

SET schema = 'nope'

SET enable_external_access = false

SELECT * FROM '/etc/hostname'

SET enable_external_access = true

SET lock_configuration = true

SET threads = 2
