CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'none', price DECIMAL(8, 2), at TIMESTAMP)

CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'none', price DECIMAL(8, 2), made TIMESTAMP)

INSERT INTO t VALUES (1, 'a', 1.5, '2024-01-01'), (2, 'b', NULL, NULL)

INSERT INTO t (id) VALUES (3)

INSERT INTO t (id, name) VALUES (4, 'd'), (5, 'e') RETURNING id, name, price

INSERT INTO t VALUES (1, 'dup', 0, NULL)

INSERT INTO t VALUES (6, NULL, 0, NULL)

INSERT INTO t VALUES (6, 'f')

INSERT INTO t VALUES ('x', 'f', 1, NULL)

INSERT INTO nowhere VALUES (1)

INSERT INTO t BY NAME SELECT 7 AS id, 'g' AS name

INSERT INTO t (id, name) SELECT range::INTEGER + 10, 'r' || range FROM range(5)

INSERT INTO t VALUES (1, 'z', 9, NULL) ON CONFLICT DO NOTHING

INSERT INTO t VALUES (1, 'z', 9, NULL) ON CONFLICT (id) DO UPDATE SET name = excluded.name, price = t.price + 1

INSERT INTO t VALUES (1, 'y', 9, NULL) ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE t.price > 100

INSERT INTO t VALUES (1, 'z', 9, NULL) ON CONFLICT (name) DO NOTHING

INSERT OR REPLACE INTO t VALUES (2, 'replaced', 2.5, '2020-02-02 02:02:02') RETURNING *

INSERT OR IGNORE INTO t VALUES (2, 'ignored', 2.5, NULL)

INSERT INTO t DEFAULT VALUES

FROM t

SELECT count(*), sum(price), min(made) FROM t

UPDATE t SET price = 1 WHERE price IS NULL

UPDATE t SET price = price * 2, name = upper(name) WHERE id < 3 RETURNING id, name, price

UPDATE t SET price = s.p FROM (VALUES (1, 11), (2, 22), (99, 99)) AS s(id, p) WHERE s.id = t.id

UPDATE t SET name = NULL WHERE id = 1

UPDATE t SET id = 2 WHERE id = 1

UPDATE t SET nope = 1

UPDATE nowhere SET a = 1

UPDATE t SET price = 1000000000

DELETE FROM t WHERE id = 7

DELETE FROM t WHERE id > 12 RETURNING id

DELETE FROM t USING (SELECT 12 AS k) AS s WHERE s.k = t.id

DELETE FROM t WHERE nope = 1

DELETE FROM nowhere

MERGE INTO t USING (VALUES (1, 'merged'), (50, 'new')) AS s(id, name) ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)

MERGE INTO t USING (VALUES (50)) AS s(id) ON t.id = s.id WHEN MATCHED THEN DELETE

MERGE INTO t USING (VALUES (1), (60)) AS s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET price = 0 WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id) RETURNING merge_action, id, name

MERGE INTO t USING nowhere ON true WHEN MATCHED THEN DELETE

SELECT * FROM t ORDER BY id

CREATE TABLE u AS SELECT id, name FROM t WHERE id < 4

CREATE TABLE u AS SELECT 1

CREATE TABLE IF NOT EXISTS u AS SELECT 1

CREATE OR REPLACE TABLE u AS SELECT id, name, price FROM t WHERE id < 5

CREATE TABLE empty_copy AS FROM t WITH NO DATA

SELECT count(*) FROM empty_copy

CREATE TABLE v (LIKE u)

CREATE TEMP TABLE temporary (a INTEGER)

CREATE TABLE two (a INTEGER, a INTEGER)

CREATE TABLE bad (a NOTATYPE)

CREATE TABLE generated (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2) VIRTUAL)

INSERT INTO generated (a) VALUES (1), (2)

INSERT INTO generated VALUES (1, 1)

FROM generated

CREATE TABLE checked (n INTEGER CHECK (n > 0), m INTEGER UNIQUE)

INSERT INTO checked VALUES (1, 1)

INSERT INTO checked VALUES (0, 2)

INSERT INTO checked VALUES (2, 1)

CREATE TABLE child (k INTEGER REFERENCES t (id))

INSERT INTO child VALUES (1)

INSERT INTO child VALUES (12345)

DELETE FROM t WHERE id = 1

DROP TABLE t

DROP TABLE child

ALTER TABLE u ADD COLUMN extra VARCHAR DEFAULT 'x'

ALTER TABLE u ADD COLUMN extra VARCHAR

ALTER TABLE u ADD COLUMN IF NOT EXISTS extra VARCHAR

ALTER TABLE u RENAME COLUMN extra TO more

ALTER TABLE u ALTER COLUMN id TYPE VARCHAR

ALTER TABLE u ALTER COLUMN name TYPE INTEGER

ALTER TABLE u ALTER COLUMN more SET DEFAULT 'y'

ALTER TABLE u ALTER COLUMN more SET NOT NULL

ALTER TABLE u DROP COLUMN more

ALTER TABLE u DROP COLUMN nope

ALTER TABLE u RENAME TO w

ALTER TABLE nowhere RENAME TO x

FROM w ORDER BY id

DESCRIBE w

SHOW TABLES

SHOW ALL TABLES

SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns ORDER BY table_name, ordinal_position

CREATE INDEX i1 ON w (name)

CREATE UNIQUE INDEX i2 ON w (id, name)

CREATE INDEX i1 ON w (id)

SELECT index_name, is_unique FROM duckdb_indexes() ORDER BY index_name

SELECT * FROM w WHERE name = 'replaced'

DROP INDEX i1

DROP INDEX nope

DROP INDEX IF EXISTS nope

CREATE VIEW cheap AS SELECT * FROM w WHERE price < 5

CREATE VIEW cheap AS SELECT 1

CREATE OR REPLACE VIEW cheap AS SELECT id AS k, price FROM w WHERE price < 50

CREATE VIEW named(one, two) AS SELECT id, name FROM w

CREATE VIEW broken AS SELECT * FROM nowhere

SELECT * FROM cheap ORDER BY k

SELECT one FROM named ORDER BY one LIMIT 2

SELECT view_name, column_count FROM duckdb_views() WHERE NOT internal ORDER BY view_name

ALTER VIEW cheap RENAME TO inexpensive

DROP VIEW inexpensive

DROP VIEW w

DROP TABLE named

CREATE SCHEMA s1

CREATE SCHEMA s1

CREATE SCHEMA IF NOT EXISTS s1

CREATE TABLE s1.a AS SELECT 42 AS x

SELECT x FROM s1.a

SELECT memory.s1.a.x FROM memory.s1.a

SET schema = 's1'

SELECT x FROM a

SELECT current_schema()

SET schema = 'main'

SELECT x FROM a

SET search_path = 'main,s1'

SELECT x FROM a

RESET search_path

DROP SCHEMA s1

DROP SCHEMA s1 CASCADE

CREATE SEQUENCE q

CREATE SEQUENCE q2 START WITH 10 INCREMENT BY -2 MAXVALUE 10 MINVALUE 0 CYCLE

SELECT nextval('q'), nextval('q'), currval('q'), nextval('q2'), nextval('q2')

SELECT nextval('q2') FROM range(8)

CREATE TABLE auto (id INTEGER DEFAULT nextval('q'), v VARCHAR)

INSERT INTO auto (v) VALUES ('x'), ('y')

FROM auto ORDER BY id

SELECT nextval('nope')

DROP SEQUENCE q

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')

CREATE TYPE mood AS ENUM ('x')

CREATE TYPE pair AS STRUCT(a INTEGER, b VARCHAR)

CREATE TABLE moods (m mood, p pair)

INSERT INTO moods VALUES ('ok', {'a': 1, 'b': 'x'}), ('sad', NULL), (NULL, ROW(2, 'y'))

INSERT INTO moods VALUES ('angry', NULL)

SELECT m, p.a, p.b, p FROM moods ORDER BY m NULLS LAST

SELECT max(m), enum_range(NULL::mood) FROM moods

DROP TYPE mood

CREATE MACRO add(a, b) AS a + b

CREATE MACRO add3(a, b, c := 10) AS a + b + c

CREATE MACRO rows_of(n) AS TABLE SELECT range AS i FROM range(n)

SELECT add(1, 2), add3(1, 2), add3(1, 2, c := 3)

SELECT * FROM rows_of(3)

SELECT add(1)

DROP MACRO add

SELECT add(1, 2)

DROP MACRO TABLE rows_of

BEGIN

CREATE TABLE inside (a INTEGER)

INSERT INTO inside VALUES (1), (2), (3)

SELECT sum(a) FROM inside

ROLLBACK

SELECT * FROM inside

BEGIN

INSERT INTO auto (id, v) VALUES (100, 'kept')

COMMIT

BEGIN

BEGIN

ROLLBACK

COMMIT

ROLLBACK

SELECT v FROM auto WHERE id = 100

BEGIN

SELECT 'x'::INTEGER

SELECT 1

ROLLBACK

SELECT 1

PREPARE plus AS SELECT ? + 1, $1

PREPARE plus1 AS SELECT $1::INTEGER + 1 AS s

EXECUTE plus1(41)

EXECUTE plus1

EXECUTE plus1('x')

EXECUTE nope(1)

PREPARE named_arguments AS SELECT $a::INTEGER - $b::INTEGER AS d

EXECUTE named_arguments(b := 1, a := 10)

DEALLOCATE plus1

EXECUTE plus1(1)

PREPARE ins AS INSERT INTO auto (id, v) VALUES (?, ?)

EXECUTE ins(200, 'prepared')

SELECT v FROM auto WHERE id = 200

TRUNCATE auto

SELECT count(*) FROM auto

COMMENT ON TABLE auto IS 'numbers itself'

SELECT comment FROM duckdb_tables() WHERE table_name = 'auto'

ATTACH ':memory:' AS extra

CREATE TABLE extra.far AS SELECT 'far' AS away

SELECT away FROM extra.far

INSERT INTO extra.far VALUES ('away')

SHOW DATABASES

USE extra

FROM far

USE memory

FROM far

DETACH extra

DETACH extra

SELECT * FROM extra.far

CHECKPOINT

VACUUM

ANALYZE

DROP TABLE IF EXISTS w

DROP TABLE w
