CREATE TABLE t AS SELECT range AS i, 'r' || range AS s, range * 1.5 AS d, DATE '2024-01-01' + range::INTEGER AS day FROM range(50)

COPY t TO '{dir}/t.csv'

COPY t TO '{dir}/t.tsv' (DELIMITER '\t', HEADER false)

COPY t TO '{dir}/t.parquet' (FORMAT parquet, COMPRESSION zstd)

COPY t TO '{dir}/t.json'

COPY (SELECT i, s FROM t WHERE i < 3) TO '{dir}/some.csv' (HEADER, QUOTE '"', FORCE_QUOTE (s))

COPY (SELECT i, i % 2 AS p FROM t) TO '{dir}/parts' (FORMAT parquet, PARTITION_BY (p))

COPY nowhere TO '{dir}/x.csv'

COPY t TO '{dir}/no/such/folder/x.csv'

COPY t TO '{dir}/x.csv' (NO_SUCH_OPTION 1)

SELECT * FROM '{dir}/t.csv' ORDER BY i

SELECT * FROM '{dir}/some.csv'

SELECT count(*), sum(i), min(day) FROM '{dir}/t.parquet'

SELECT * FROM '{dir}/t.json' WHERE i < 3 ORDER BY i

SELECT * FROM read_csv('{dir}/t.tsv', delim = '\t', columns = {'i': 'INTEGER', 's': 'VARCHAR', 'd': 'DOUBLE', 'day': 'DATE'}) WHERE i > 45 ORDER BY i

SELECT * FROM read_csv('{dir}/t.csv', all_varchar = true, header = true) LIMIT 2

SELECT * FROM read_csv('{dir}/t.csv', columns = {'a': 'INTEGER'})

SELECT i, file_row_number FROM read_parquet('{dir}/t.parquet', file_row_number = true) WHERE i > 47 ORDER BY i

SELECT p, count(*), sum(i) FROM read_parquet('{dir}/parts/*/*.parquet', hive_partitioning = true) GROUP BY p ORDER BY p

SELECT name, type FROM parquet_schema('{dir}/t.parquet')

SELECT num_rows, num_row_groups FROM parquet_file_metadata('{dir}/t.parquet')

DESCRIBE SELECT * FROM '{dir}/t.csv'

SUMMARIZE FROM '{dir}/t.parquet'

SELECT * FROM '{dir}/missing.parquet'

SELECT * FROM read_csv('{dir}/missing.csv')

SELECT * FROM read_parquet('{dir}/t.csv')

SELECT * FROM read_parquet(['{dir}/t.parquet', '{dir}/t.parquet']) WHERE i = 1

SELECT nope FROM '{dir}/t.parquet'

SELECT content IS NOT NULL, size > 0 FROM read_text('{dir}/some.csv')

SELECT count(*) FROM glob('{dir}/*.csv')

CREATE TABLE back (i BIGINT, s VARCHAR, d DOUBLE, day DATE)

COPY back FROM '{dir}/t.csv'

COPY back FROM '{dir}/t.parquet' (FORMAT parquet)

COPY back FROM '{dir}/missing.csv'

COPY back (i, s) FROM '{dir}/some.csv' (HEADER)

SELECT count(*), count(d) FROM back

CREATE VIEW v AS SELECT * FROM '{dir}/t.parquet' WHERE i < 10

SELECT sum(i) FROM v

SELECT a.i, b.s FROM '{dir}/t.parquet' a JOIN '{dir}/t.csv' b ON a.i = b.i WHERE a.i < 4 ORDER BY 1

INSERT INTO back SELECT * FROM '{dir}/t.parquet' WHERE i < 5

EXPORT DATABASE '{dir}/export'

IMPORT DATABASE '{dir}/nowhere'

ATTACH '{dir}/other.db' AS other

CREATE TABLE other.t AS FROM t

SELECT count(*) FROM other.t

COPY FROM DATABASE memory TO other

DETACH other

ATTACH '{dir}/other.db' AS other (READ_ONLY)

INSERT INTO other.t VALUES (1, 'a', 1, NULL)

SELECT max(i) FROM other.t

ATTACH '{dir}/other.db' AS again

ATTACH '{dir}/t.csv' AS broken

DETACH other
