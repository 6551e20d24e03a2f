CREATE TABLE emp AS SELECT * FROM (VALUES (1, 'Ann', 'dev', 100, NULL), (2, 'Bob', 'dev', 80, 1), (3, 'Cid', 'ops', 70, 1), (4, 'Dee', 'ops', 70, 3), (5, 'Eve', NULL, 50, 3), (6, 'Fay', 'hr', NULL, 2)) AS v(id, name, dept, pay, boss)

CREATE TABLE num AS SELECT range AS i, range % 7 AS a, range % 3 AS b, range * 0.5 AS c, 's' || range % 5 AS s FROM range(200)

CREATE TABLE day AS SELECT DATE '2024-01-01' + range::INTEGER AS d, range AS n FROM range(70)

SELECT 1

SELECT 1 AS one, 'two' AS two, NULL AS nothing

SELECT 1, 1, 1 AS "1"

SELECT 'a' 'b'

SELECT 1 + 2 * 3 - 4 / 2, (1 + 2) * 3, 7 // 2, 7 % 4, 2 ** 10, 2 ^ 3, -5 % 3, @ -3

SELECT 1 < 2, 1 = 1.0, 'a' < 'b', NULL = NULL, NULL IS NULL, NOT true, true AND NULL, false OR NULL

SELECT 5 & 3, 5 | 3, xor(5, 3), ~5, 1 << 4, 16 >> 2

SELECT 'a' || 'b', 'a' || NULL, 'abc'[2], 'abcdef'[2:4], 'abc' LIKE 'a%', 'abc' SIMILAR TO 'a.c', 'abc' GLOB 'a*'

SELECT * FROM emp

SELECT * FROM emp ORDER BY pay NULLS LAST, id

SELECT name, pay FROM emp WHERE pay > 60 ORDER BY pay DESC, name LIMIT 3

SELECT name FROM emp ORDER BY id LIMIT 2 OFFSET 3

SELECT name FROM emp ORDER BY id LIMIT 50%

SELECT DISTINCT dept FROM emp

SELECT DISTINCT ON (dept) dept, name FROM emp ORDER BY dept, pay DESC NULLS LAST

SELECT dept, count(*), count(pay), sum(pay), avg(pay), min(name), max(name) FROM emp GROUP BY dept

SELECT dept, sum(pay) AS total FROM emp GROUP BY dept HAVING total > 100 ORDER BY total

SELECT dept, pay, count(*) FROM emp GROUP BY ROLLUP (dept, pay)

SELECT dept, boss, sum(pay), grouping(dept, boss) FROM emp GROUP BY CUBE (dept, boss)

SELECT dept, boss, count(*) FROM emp GROUP BY GROUPING SETS ((dept), (boss), ())

SELECT dept, count(*) FILTER (WHERE pay > 60) FROM emp GROUP BY ALL

SELECT string_agg(name, ', ' ORDER BY name DESC), list(id ORDER BY id), array_agg(dept ORDER BY id) FROM emp

SELECT e.name, b.name FROM emp e LEFT JOIN emp b ON e.boss = b.id ORDER BY e.id

SELECT e.name FROM emp e WHERE EXISTS (SELECT 1 FROM emp b WHERE b.boss = e.id) ORDER BY 1

SELECT name FROM emp WHERE pay = (SELECT max(pay) FROM emp)

SELECT name, (SELECT count(*) FROM emp b WHERE b.boss = e.id) AS reports FROM emp e ORDER BY e.id

SELECT name FROM emp WHERE pay > ALL (SELECT pay FROM emp WHERE dept = 'ops')

SELECT name FROM emp WHERE pay > ANY (SELECT pay FROM emp WHERE dept = 'ops') ORDER BY name

SELECT name FROM emp WHERE (dept, pay) IN (SELECT dept, max(pay) FROM emp GROUP BY dept) ORDER BY name

SELECT name FROM emp WHERE boss NOT IN (SELECT id FROM emp WHERE dept = 'dev')

SELECT name FROM emp WHERE name BETWEEN 'B' AND 'D' ORDER BY name

SELECT CASE dept WHEN 'dev' THEN 1 WHEN 'ops' THEN 2 END, CASE WHEN pay > 70 THEN 'high' ELSE 'low' END FROM emp ORDER BY id

SELECT coalesce(dept, 'none'), nullif(pay, 70), ifnull(pay, 0), greatest(pay, 75), least(pay, 75) FROM emp ORDER BY id

WITH RECURSIVE chain AS (SELECT id, name, 0 AS depth FROM emp WHERE boss IS NULL UNION ALL SELECT e.id, e.name, depth + 1 FROM emp e JOIN chain c ON e.boss = c.id) SELECT * FROM chain ORDER BY depth, id

WITH RECURSIVE fib(a, b) AS (SELECT 0, 1 UNION ALL SELECT b, a + b FROM fib WHERE b < 1000) SELECT a FROM fib

WITH RECURSIVE r AS (SELECT 1 AS x UNION SELECT (x * 3) % 11 FROM r) SELECT x FROM r ORDER BY x

WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS x FROM a) SELECT * FROM a UNION ALL SELECT * FROM b

WITH a AS MATERIALIZED (SELECT * FROM num WHERE a = 3) SELECT x.i, y.i FROM a x JOIN a y ON x.i = y.i + 7 ORDER BY 1

WITH a(p, q) AS (SELECT i, c FROM num) SELECT max(p), max(q) FROM a

SELECT * FROM (SELECT a, b, sum(i) AS s FROM num GROUP BY a, b) WHERE s > 1000 ORDER BY s, a, b

SELECT a, b, i FROM num WHERE i < 20 ORDER BY a DESC, b, i

FROM num SELECT max(i)

FROM num WHERE i > 195

SELECT COLUMNS('^[abi]$') FROM num WHERE i = 100

SELECT min(COLUMNS(*)) FROM num

SELECT COLUMNS(c -> c IN ('a', 'b')) FROM num WHERE i < 3

SELECT COLUMNS(lambda c: c IN ('a', 'b')) FROM num WHERE i < 3

SELECT * EXCLUDE (c, s) REPLACE (i + 1 AS i) FROM num WHERE i < 3

SELECT * RENAME (i AS index) FROM num WHERE i < 3

SELECT num.* FROM num WHERE i = 5

SELECT i AS x, x + 1 AS y, y * 2 AS z FROM num WHERE i < 3

SELECT i % 2 AS parity, count(*) FROM num GROUP BY parity ORDER BY parity

SELECT i FROM num ORDER BY i % 10, i DESC LIMIT 12

SELECT a FROM num GROUP BY a ORDER BY count(*) DESC, a

SELECT sum(i) AS s FROM num HAVING s > 0

SELECT row_number() OVER (ORDER BY i DESC) AS rn, i FROM num QUALIFY rn <= 3

SELECT a, i, sum(i) OVER (PARTITION BY a ORDER BY i) FROM num WHERE i < 30 ORDER BY a, i

SELECT i, avg(i) OVER w, max(i) OVER w FROM num WHERE i < 10 WINDOW w AS (ORDER BY i ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) ORDER BY i

SELECT d, sum(n) OVER (ORDER BY d RANGE BETWEEN INTERVAL 3 DAY PRECEDING AND CURRENT ROW) FROM day ORDER BY d

SELECT i, lag(i, 2) OVER (ORDER BY i), lead(i) OVER (ORDER BY i), first_value(i) OVER (ORDER BY i), nth_value(i, 3) OVER (ORDER BY i) FROM num WHERE i < 6 ORDER BY i

SELECT a, rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), cume_dist() OVER (ORDER BY a) FROM num WHERE i < 9 ORDER BY 1

SELECT sum(i) FILTER (WHERE a = 1) OVER (PARTITION BY b) FROM num WHERE i < 12 ORDER BY i

SELECT date_trunc('month', d) AS m, sum(n) FROM day GROUP BY m ORDER BY m

SELECT year(d), month(d), count(*) FROM day GROUP BY ALL ORDER BY ALL

SELECT time_bucket(INTERVAL 10 DAY, d) AS b, count(*) FROM day GROUP BY b ORDER BY b

SELECT * FROM num JOIN emp ON num.i = emp.id ORDER BY num.i

SELECT count(*) FROM num x, num y WHERE x.a = y.b AND x.i < y.i

SELECT * FROM emp e JOIN num n ON e.id = n.i AND n.a > 2

SELECT count(*) FROM num n1 JOIN num n2 USING (a, b)

SELECT * FROM emp NATURAL JOIN (SELECT 2 AS id, 'x' AS extra)

SELECT e.name, x.m FROM emp e, LATERAL (SELECT max(i) AS m FROM num WHERE a = e.id) x ORDER BY e.id

SELECT e.name, n.i FROM emp e LEFT JOIN LATERAL (SELECT i FROM num WHERE i > e.pay ORDER BY i LIMIT 1) n ON true ORDER BY e.id

SELECT a.v, b.w FROM (VALUES (1), (5), (9)) a(v) ASOF JOIN (VALUES (0, 'x'), (4, 'y')) b(k, w) ON a.v >= b.k ORDER BY 1

SELECT * FROM (VALUES (1), (2)) a(x) POSITIONAL JOIN (VALUES ('p'), ('q'), ('r')) b(y)

SELECT * FROM (VALUES (1), (2)) a(x) CROSS JOIN (VALUES ('p'), ('q')) b(y) ORDER BY x, y

SELECT 1 UNION SELECT 1 UNION ALL SELECT 1

SELECT a FROM num EXCEPT SELECT b FROM num ORDER BY a

SELECT a FROM num INTERSECT SELECT b FROM num ORDER BY a

SELECT a FROM num WHERE i < 9 EXCEPT ALL SELECT b FROM num WHERE i < 9 ORDER BY 1

SELECT 1 AS a, 2 AS b UNION BY NAME SELECT 3 AS b, 4 AS c

PIVOT (SELECT dept, boss, pay FROM emp) ON dept USING sum(pay) GROUP BY boss ORDER BY boss

PIVOT num ON b USING sum(i), count(*) GROUP BY a ORDER BY a

PIVOT num ON b IN (0, 1) USING max(i) GROUP BY s ORDER BY s

FROM num PIVOT (sum(i) FOR b IN (0, 1, 2) GROUP BY a) ORDER BY a

UNPIVOT (SELECT 1 AS x, 2 AS y, 'k' AS key) ON x, y INTO NAME which VALUE v

SELECT * FROM (SELECT 1 AS x, 2 AS y) UNPIVOT (v FOR n IN (x, y))

UNPIVOT emp ON id, pay ORDER BY ALL

DESCRIBE emp

DESCRIBE SELECT i, c FROM num

SUMMARIZE emp

SUMMARIZE SELECT i, c FROM num

SHOW emp

SELECT * FROM num USING SAMPLE 10% (bernoulli, 42)

SELECT count(*) FROM num USING SAMPLE reservoir(20 ROWS) REPEATABLE (7)

SELECT count(*) FROM num TABLESAMPLE system(100%)

SELECT * FROM num TABLESAMPLE reservoir(5 ROWS) REPEATABLE (3)

SELECT unnest([1, 2, 3]), unnest(['a', 'b'])

SELECT unnest({'a': 1, 'b': 'x'})

SELECT unnest([{'a': 1}, {'a': 2}], recursive := true)

SELECT * FROM unnest([10, 20, 30]) AS t(x)

SELECT * FROM generate_series(1, 10, 3)

SELECT * FROM generate_series(DATE '2024-01-01', DATE '2024-01-05', INTERVAL 2 DAY)

SELECT range(5), generate_series(1, 3)

SELECT * FROM repeat(7, 3)

SELECT * FROM repeat_row(1, 'a', num_rows = 2)

VALUES (1, 'a'), (2, 'b')

VALUES (1), (2.5), (NULL)

VALUES (1), ('a')

SELECT * FROM (VALUES (1, 2)) AS t

TABLE emp

SELECT i FROM num WHERE i IN (1, 2, 3, NULL)

SELECT name ILIKE '%E%', name NOT LIKE 'A%', regexp_matches(name, '^[A-C]'), name ~ '.*e' FROM emp ORDER BY id

SELECT median(i), mode(i // 150), quantile_cont(i, [0.1, 0.5]), quantile_disc(i, 0.9), stddev(i), var_pop(c), kurtosis(i), skewness(c) FROM num

SELECT corr(i, c), covar_pop(i, a), regr_slope(c, i), regr_r2(a, b), entropy(a) FROM num

SELECT bit_and(a), bit_or(b), bit_xor(i), bool_and(a < 8), bool_or(b > 5), product(b + 1) FROM num WHERE i < 15

SELECT arg_max(name, pay), arg_min(name, pay), first(name ORDER BY id), last(name ORDER BY id), any_value(dept) FROM emp

SELECT max(name, 2), min(pay, 2), arg_max(name, pay, 2) FROM emp

SELECT approx_count_distinct(a) BETWEEN 5 AND 9, approx_quantile(i, 0.5) BETWEEN 90 AND 110 FROM num

SELECT count(DISTINCT a), sum(DISTINCT b), list(DISTINCT a ORDER BY a) FROM num

SELECT histogram(b) FROM num

SELECT list_sort(list(DISTINCT s)) FROM num

SELECT count_if(a > 3), countif(b = 0), favg(c), fsum(c) FROM num

SELECT map_from_entries([(1, 'a'), (2, 'b')])

SELECT {'a': i, 'b': [i, i + 1]} FROM num WHERE i < 3

SELECT row(1, 'a'), struct_pack(x := 1), (1, 2)

SELECT (SELECT i, a FROM num WHERE i = 3)

SELECT (SELECT i FROM num)

SELECT [x * 2 FOR x IN [1, 2, 3] IF x > 1]

SELECT list_transform([1, 2, 3], lambda x: x + 1), list_filter([1, 2, 3], lambda x: x > 1), list_reduce([1, 2, 3], lambda a, b: a + b)

SELECT list_transform([1, 2, 3], x -> x + 1)

SELECT CAST(NULL AS INTEGER), TRY_CAST('x' AS DOUBLE), '5'::INT + 1

SELECT current_date = today(), current_user, current_schema(), current_database()

SELECT typeof(now()), typeof(current_timestamp), typeof(uuid()), length(uuid()::VARCHAR)

SELECT random() BETWEEN 0 AND 1, setseed(0.5)

SELECT version()

SELECT hash(1), hash('a'), hash(NULL), md5('a'), sha256('a')

SELECT pi(), e()

SELECT error('on purpose')

SELECT nope

SELECT * FROM nope

SELECT nope(1)

SELECT upper()

SELECT upper(1, 2)

SELECT sum('a')

SELECT i FROM num GROUP BY a

SELECT a FROM num HAVING i > 1

SELECT * FROM num ORDER BY nope

SELECT * FROM num LIMIT -1

SELECT * FROM num LIMIT 'x'

SELECT 1 +

SELECT (1

SELECT 'unterminated

SELECT "unterminated

SELECT 1 /* unterminated

SELECT FROM

SELEC 1

WHERE 1

)

SELECT 1; SELECT 2

SELECT i, sum(i) FROM num

SELECT sum(sum(i)) FROM num

SELECT sum(i) OVER (ORDER BY nope) FROM num

SELECT row_number() FROM num

SELECT * FROM num n JOIN num m ON n.i = m.j

SELECT i FROM num n JOIN num m ON n.i = m.i

SELECT x.* FROM num

SELECT 1 UNION SELECT 1, 2

SELECT [1, 'a']

SELECT {'a': 1}.b

SELECT 1::NOTATYPE

SELECT 'x'::DATE

SELECT DATE '2024-02-30'

SELECT 1 / 0, 1 // 0, 1 % 0, 1.0 / 0, 0.0 / 0

SELECT 9223372036854775807 + 1

SELECT 2147483647::INT * 2::INT

SELECT sqrt(-1)

SELECT ln(0)

SELECT 1e400

SELECT 99999999999999999999999999999999999999999

SELECT factorial(50)

SELECT repeat('a', -1)

SELECT substr('abc', -2), substr('abc', 0, 2), left('abc', -1), right('abc', 2)

SELECT getvariable('v')

SET VARIABLE v = 5

SELECT getvariable('v') + 1

RESET VARIABLE v

EXPLAIN SELECT 1

EXPLAIN (FORMAT json) SELECT count(*) FROM num

EXPLAIN SELECT nope FROM num

SELECT * FROM query('SELECT 42 AS answer')

SELECT * FROM query_table('emp')

SELECT function_name FROM duckdb_functions() WHERE function_name = 'abs' LIMIT 1

SELECT count(*) > 100 FROM duckdb_settings()

SELECT DISTINCT keyword_category FROM duckdb_keywords() ORDER BY 1

SELECT $$dollar 'quoted'$$, $tag$with $$ inside$tag$

SELECT U&'\0041', E'\x41\n', x'4142', 'it''s'

SELECT 1_000_000, 0x1F, 0b101, 1e3, .5, 5.

SELECT /* comment */ 1 -- line

SELECT 'ünï', '日本語', '🦆', 'a' || chr(0) || 'b'

SELECT "ünï" FROM (SELECT 1 AS "ünï")

SELECT 1 AS "select", 2 AS "with space", 3 AS """quoted"""
