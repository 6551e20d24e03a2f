-- Ordinary DuckDB queries, one a line. Printing our tree of each must change neither rows nor types nor column names.
-- The block up to the empty line makes the tables.
CREATE TABLE t(a INTEGER, b INTEGER, s VARCHAR, d DATE, ts TIMESTAMP, x DOUBLE, l INTEGER[], st STRUCT(f INTEGER, g VARCHAR), j JSON, m MAP(VARCHAR, INTEGER), dec DECIMAL(10,2));
INSERT INTO t VALUES (1, 10, 'abc', DATE '2024-01-31', TIMESTAMP '2024-01-31 10:11:12.345', 1.5, [1,2,3], {'f': 1, 'g': 'x'}, '{"a": {"b": [1, 2]}, "k": "v"}', MAP {'k': 1}, 12.34),
 (2, 20, 'ABC', DATE '2023-12-31', TIMESTAMP '2023-12-31 23:59:59', -2.5, [3,1], {'f': 2, 'g': 'y'}, '{"a": 5}', MAP {'k': 2, 'z': 3}, -1.25),
 (NULL, 20, 'a_c%', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (3, 30, '', DATE '2024-02-29', TIMESTAMP '2024-02-29 00:00:00', 0.5, [], {'f': NULL, 'g': NULL}, '[1,2]', MAP {}, 0),
 (1, NULL, 'x y', DATE '2024-01-01', TIMESTAMP '2024-01-01 12:00:00', 7, [9], {'f': 7, 'g': 'z'}, 'null', MAP {'q': NULL}, 99.99);
CREATE TABLE u(a INTEGER, c VARCHAR, ts TIMESTAMP);
INSERT INTO u VALUES (1,'one', TIMESTAMP '2024-01-01 00:00:00'),(2,'two', TIMESTAMP '2023-06-01 00:00:00'),(5,'five',NULL);
CREATE TABLE sales(region VARCHAR, yr INTEGER, amount INTEGER, q1 INTEGER, q2 INTEGER);
INSERT INTO sales VALUES ('e',2020,1,5,6),('e',2021,2,7,8),('w',2020,3,9,10),('w',2021,NULL,11,12);
CREATE TABLE model(model VARCHAR, ndv INTEGER, predict INTEGER, explain INTEGER, similar_ INTEGER, embed INTEGER);
INSERT INTO model VALUES ('m', 1, 2, 3, 4, 5);
CREATE MACRO twice(q) AS q * 2;

SELECT 1
SELECT a, b FROM t ORDER BY a
SELECT a, b FROM t ORDER BY a DESC, b
SELECT a FROM t ORDER BY a NULLS FIRST
SELECT a FROM t ORDER BY a DESC NULLS LAST
SELECT a FROM t ORDER BY a DESC NULLS FIRST
SELECT * FROM t ORDER BY ALL
SELECT a, count(*) FROM t GROUP BY ALL ORDER BY ALL
SELECT a, b, count(*) FROM t GROUP BY ALL ORDER BY ALL DESC NULLS FIRST
FROM t
FROM t SELECT a, b
SELECT 7 // 2, -7 // 2, 7 / 2, 7 % 3, -7 % 3, 2 ** 3, 2 ^ 3 ^ 2, 2 ** 3 ** 2
SELECT a // 2 * 3, a / 2 // 3, (a + b) // 2 FROM t
SELECT 5 & 3, 5 | 3, xor(5, 3), ~5, 1 << 3, 16 >> 2
SELECT '12'::INT, '1.5'::DOUBLE, 1::VARCHAR, 'x'::VARCHAR(3), 1.5::DECIMAL(5,2), 1::DECIMAL
SELECT CAST('1' AS INTEGER), TRY_CAST('x' AS INTEGER), TRY_CAST('2' AS BIGINT)
SELECT 1::TINYINT, 1::UTINYINT, 1::USMALLINT, 1::UINTEGER, 1::UBIGINT, 1::HUGEINT, 1::UHUGEINT
SELECT 1::INT1, 1::INT2, 1::INT4, 1::INT8, 1::FLOAT, 1::FLOAT4, 1::FLOAT8, 1::REAL, 1::BOOL, 1::LOGICAL, 1::INT128
SELECT '2024-01-01'::TIMESTAMP, '2024-01-01'::TIMESTAMP_S, '2024-01-01'::TIMESTAMP_MS, '2024-01-01'::TIMESTAMP_NS, '2024-01-01'::DATETIME
SELECT '2024-01-01 00:00:00+02'::TIMESTAMPTZ::VARCHAR, '10:00:00'::TIME, '10:00:00+02'::TIMETZ::VARCHAR
SELECT typeof('2024-01-01'::TIMESTAMP WITH TIME ZONE), typeof('10:00'::TIME WITH TIME ZONE)
SELECT 'abc'::BLOB, '\xAA'::BLOB, '101'::BIT, 'a'::BYTEA, 'ab'::BINARY, 'ab'::VARBINARY
SELECT '[1,2]'::INT[], [1,2]::VARCHAR[], [[1],[2]]::INT[][], [1,2,3]::INT[3]
SELECT {'a': 1}::STRUCT(a BIGINT), ROW(1, 'x')::STRUCT(a INT, b VARCHAR)
SELECT MAP {'a': 1}::MAP(VARCHAR, BIGINT), 'a'::ENUM('a','b')
SELECT typeof(1::UNION(n INT, s VARCHAR)), '{"a":1}'::JSON, uuid()::UUID IS NOT NULL
SELECT [1,2,3,4][1], [1,2,3,4][-1], [1,2,3,4][2:3], [1,2,3,4][2:], [1,2,3,4][:2], [1,2,3,4][:], [1,2,3,4][1:4:2], [1,2,3,4][-2:-1], [1,2,3,4][:-:2]
SELECT l[1], l[1:2], l[-1], s[1], s[1:2], s[2:] FROM t ORDER BY ALL
SELECT 'hello'[1], 'hello'[2:3]
SELECT j->'a', j->>'k', j->'$.a.b[0]', j->'a'->'b'->0, j->>'$.a' FROM t ORDER BY ALL
SELECT json_extract(j, '$.a'), json_extract_string(j, '$.k'), json_extract(j, ['$.a', '$.k']), json_type(j), json_valid(s) FROM t ORDER BY ALL
SELECT json_object('a', 1, 'b', [1,2]), json_array(1, 'x', NULL), to_json({'a': 1}), json_group_array(a), json_group_object(s, a) FROM t WHERE a IS NOT NULL GROUP BY ALL ORDER BY ALL
SELECT j.a.b, j.k FROM t ORDER BY ALL
SELECT '{"duck":[1,2]}'::JSON->'$.duck[*]', '{"duck":[1,2]}'::JSON->'/duck/0', '{"duck":[1,2]}'::JSON->'duck'->-1
SELECT list_transform([1,2,3], lambda x: x + 1), list_filter([1,2,3], lambda x: x > 1), list_reduce([1,2,3], lambda x, y: x + y)
SELECT list_transform([1,2,3], lambda x, i: x * i), apply([1,2], lambda x: x::VARCHAR), list_transform([[1],[2]], lambda x: list_transform(x, lambda y: y + len(x)))
SELECT [x + 1 FOR x IN [1,2,3] IF x > 1], [x FOR x IN l], [upper(c) FOR c IN ['a','b']] FROM t ORDER BY ALL
SELECT [x * i FOR x, i IN [5,6]]
SELECT {'a': 1, 'b': {'c': 2}}.b.c, struct_pack(a := 1, b := 'x'), {'x': a}.x FROM t ORDER BY ALL
SELECT st.f, st['g'], st.* FROM t ORDER BY ALL
SELECT unnest(st) FROM t WHERE a = 1 ORDER BY ALL
SELECT row(1, 2), (1, 2), row(a, b) FROM t ORDER BY ALL
SELECT MAP {'a': 1, 'b': 2}['a'], map(['x'], [1]), m['k'], map_keys(m), map_values(m), element_at(m, 'k'), map_from_entries([('k', 5)]) FROM t ORDER BY ALL
SELECT MAP {1: 'a', 2: 'b'}, MAP {}, MAP {[1]: 2}, MAP([1,2],['a','b'])[2]
SELECT COLUMNS('a|b') FROM t ORDER BY ALL
SELECT COLUMNS(*) FROM u ORDER BY ALL
SELECT COLUMNS(lambda c: c LIKE 'a%') FROM t ORDER BY ALL
SELECT COLUMNS(* EXCLUDE (l, st, j, m)) FROM t ORDER BY ALL
SELECT min(COLUMNS(*)), max(COLUMNS(['a', 'c'])) FROM u
SELECT coalesce(*COLUMNS(['a','b'])) FROM t ORDER BY ALL
SELECT COLUMNS('(a)') AS '\1_new' FROM u ORDER BY ALL
SELECT * EXCLUDE (l, st, j, m) FROM t ORDER BY ALL
SELECT * EXCLUDE a FROM u ORDER BY ALL
SELECT * REPLACE (a + 1 AS a) FROM u ORDER BY ALL
SELECT * EXCLUDE (c) REPLACE (a * 2 AS a) FROM u ORDER BY ALL
SELECT * RENAME (a AS z) FROM u ORDER BY ALL
SELECT t.* EXCLUDE (a, l, st, j, m), u.* FROM t JOIN u USING (a) ORDER BY ALL
SELECT * LIKE 'a%' FROM t ORDER BY ALL
SELECT * SIMILAR TO 'a|b' FROM t ORDER BY ALL
SELECT * GLOB 'a*' FROM t ORDER BY ALL
SELECT * NOT LIKE '%a%' FROM u ORDER BY ALL
SELECT * ILIKE 'A%' FROM u ORDER BY ALL
SELECT TIMESTAMP '2024-01-01 00:00:00' AT TIME ZONE 'America/New_York' AT TIME ZONE 'UTC'
SELECT (TIMESTAMPTZ '2024-01-01 00:00:00+00' AT TIME ZONE 'UTC')::VARCHAR
SELECT INTERVAL 1 YEAR, INTERVAL '2' QUARTER, INTERVAL 1 CENTURY, INTERVAL 5 MILLISECOND, INTERVAL 5 microseconds, INTERVAL 1 DECADE, INTERVAL 1 MILLENNIUM
SELECT d + INTERVAL 1 DAY, d - INTERVAL '1 day', d + 1, ts - INTERVAL (a) HOUR, d - DATE '2024-01-01', ts - ts FROM t ORDER BY ALL
SELECT d + to_days(a), ts + to_hours(a), to_months(2), to_years(1), to_seconds(1.5), to_minutes(3), to_milliseconds(1), to_microseconds(2), to_weeks(1) FROM t ORDER BY ALL
SELECT count(*) FROM (SELECT * FROM range(1000) USING SAMPLE 10%  (bernoulli, 42)) WHERE false
SELECT count(*) FROM range(10000) TABLESAMPLE 100%
SELECT count(*) FROM range(10000) TABLESAMPLE reservoir(20)
SELECT count(*) FROM range(10000) USING SAMPLE 50 ROWS
SELECT count(*) FROM range(10000) tbl USING SAMPLE reservoir(50 ROWS) REPEATABLE (100)
SELECT * FROM range(100000) tbl(i) USING SAMPLE 0.01 PERCENT (bernoulli, 42) ORDER BY 1
SELECT * FROM range(100000) tbl(i) TABLESAMPLE bernoulli(0.01%) REPEATABLE (42) ORDER BY 1
SELECT count(*) FROM range(100000) tbl(i) TABLESAMPLE system(1%) REPEATABLE (42)
SELECT count(*) FROM range(100000) tbl(i) USING SAMPLE 1% (system, 42)
SELECT count(*) FROM range(100000) tbl(i) USING SAMPLE 10% (bernoulli, 1)
SELECT * FROM range(1000) tbl(i) USING SAMPLE 5 ROWS (reservoir, 7) ORDER BY 1
SELECT * FROM range(1000) tbl(i) USING SAMPLE 5 (reservoir, 7) ORDER BY 1
SELECT t.a FROM t ANTI JOIN u USING (a) ORDER BY ALL
SELECT t.a FROM t SEMI JOIN u ON t.a = u.a ORDER BY ALL
SELECT t.a, u.c FROM t ASOF JOIN u ON t.a = u.a AND t.ts >= u.ts ORDER BY ALL
SELECT t.a, u.c FROM t ASOF LEFT JOIN u USING (a, ts) ORDER BY ALL
SELECT t.s, u.c FROM t POSITIONAL JOIN u ORDER BY ALL
SELECT t.a, u.c FROM t LEFT JOIN u ON t.a = u.a ORDER BY ALL
SELECT t.a, u.c FROM t RIGHT OUTER JOIN u ON t.a = u.a ORDER BY ALL
SELECT t.a, u.c FROM t FULL OUTER JOIN u USING (a) ORDER BY ALL
SELECT t.a, u.c FROM t NATURAL JOIN u ORDER BY ALL
SELECT count(*) FROM t CROSS JOIN u
SELECT count(*) FROM t, u WHERE t.a = u.a
SELECT t.a, v FROM t, LATERAL (SELECT t.a + 1 AS v) ORDER BY ALL
SELECT t.a, v FROM t JOIN LATERAL (SELECT c AS v FROM u WHERE u.a = t.a) ON true ORDER BY ALL
SELECT a, v FROM t, unnest(l) AS q(v) ORDER BY ALL
SELECT a, unnest(l) AS v FROM t ORDER BY ALL
SELECT unnest([1,2]), unnest([[1],[2]], recursive := true), unnest({'a': 1})
SELECT * FROM unnest([1,2,3]) AS x(v) ORDER BY 1
SELECT * FROM unnest([1,2]) WITH ORDINALITY
SELECT unnest([{'a': {'b': 1}}], max_depth := 2)
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(i, n) ORDER BY 1
VALUES (1, 2), (3, 4)
SELECT 1 UNION ALL SELECT 2 UNION SELECT 2 ORDER BY 1
SELECT a FROM t UNION ALL BY NAME SELECT a, c FROM u ORDER BY ALL
SELECT a, s FROM t UNION BY NAME SELECT c, a FROM u ORDER BY ALL
SELECT a FROM t INTERSECT SELECT a FROM u ORDER BY 1
SELECT a FROM t EXCEPT SELECT a FROM u ORDER BY 1
SELECT a FROM t EXCEPT ALL SELECT a FROM u ORDER BY 1
SELECT a FROM t INTERSECT ALL SELECT a FROM u ORDER BY 1
(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL (SELECT a FROM u ORDER BY a DESC LIMIT 1) ORDER BY 1
SELECT 1 UNION SELECT 2 INTERSECT SELECT 2 EXCEPT SELECT 3 ORDER BY 1
SELECT X'AABB', 'x'::BLOB, '\x00'::BLOB, x'00'
SELECT DATE '2024-01-01', TIME '10:11:12', TIMESTAMP '2024-01-01 10:11:12.123456', (TIMESTAMPTZ '2024-01-01 00:00:00+05')::VARCHAR
SELECT date_part('year', d), extract(year FROM d), extract('month' FROM ts), year(d), month(d), day(d), dayofweek(d), isodow(d), week(d), quarter(d), weekday(d), dayofyear(d), yearweek(d), isoyear(d), era(d), century(d), decade(d) FROM t ORDER BY ALL
SELECT extract(epoch FROM ts), extract(dow FROM d), extract(doy FROM d), extract(isodow FROM d), extract(week FROM d), extract(millisecond FROM ts), extract(microseconds FROM ts), extract(quarter FROM d), extract(yearweek FROM d), extract(isoyear FROM d) FROM t ORDER BY ALL
SELECT date_part(['year','month'], d), epoch(ts), epoch_ms(ts), epoch_us(ts), epoch_ns(ts), epoch_ms(1000), date_part('epoch', ts) FROM t ORDER BY ALL
SELECT to_timestamp(1704067200)::VARCHAR, make_timestamp(1704067200000000), make_date(2024, 1, 2), make_time(1, 2, 3.5), make_timestamp(2024, 1, 2, 3, 4, 5.6), make_timestamptz(2024, 1, 1, 0, 0, 0)::VARCHAR
SELECT make_timestamp_ns(1704067200000000000), make_timestamp_ms(1000), make_date(19000)
SELECT date_trunc('month', d), date_trunc('hour', ts), datetrunc('year', ts), date_diff('day', d, DATE '2024-03-01'), datediff('month', d, DATE '2024-03-01'), date_sub('month', d, DATE '2024-03-31'), datesub('day', d, DATE '2024-03-31'), date_add(d, INTERVAL 1 DAY) FROM t ORDER BY ALL
SELECT strptime('2024-01-02 03:04:05', '%Y-%m-%d %H:%M:%S'), strptime('02/01/2024', ['%d/%m/%Y', '%Y']), try_strptime('x', '%Y')
SELECT time_bucket(INTERVAL '1 week', ts), time_bucket(INTERVAL '1 day', d), last_day(d), monthname(d), dayname(d), age(ts, TIMESTAMP '2024-01-01'), julian(d) FROM t ORDER BY ALL
SELECT typeof(now()), typeof(current_date), typeof(current_timestamp), typeof(today()), typeof(current_time), typeof(localtimestamp), typeof(localtime), typeof(get_current_time()), typeof(transaction_timestamp()), typeof(get_current_timestamp()), typeof(current_localtimestamp())
SELECT median(a), quantile(a, 0.5), quantile_cont(a, 0.5), quantile_disc(a, [0.25, 0.75]), quantile_cont(x, [0.1, 0.9]), approx_quantile(a, 0.5), mode(a), mad(x) FROM t
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a), percentile_disc(0.5) WITHIN GROUP (ORDER BY a DESC), mode() WITHIN GROUP (ORDER BY b) FROM t
SELECT count(*), count(a), count(DISTINCT a), count(*) FILTER (WHERE a > 1), count(*) FILTER (a > 1), sum(a) FILTER (WHERE b = 20), count_if(a > 1), countif(a > 1), count() FROM t
SELECT sum(DISTINCT a), avg(DISTINCT a), sum(x), fsum(x), kahan_sum(x), sumkahan(x), favg(x), product(a), avg(x), mean(x) FROM t
SELECT string_agg(s, ','), string_agg(s, ',' ORDER BY s DESC), group_concat(s, '|' ORDER BY s), listagg(s, '-' ORDER BY a, s), string_agg(DISTINCT s, ',' ORDER BY s), string_agg(s ORDER BY s) FROM t
SELECT list(a ORDER BY a DESC), array_agg(a ORDER BY a), array_agg(DISTINCT a ORDER BY a), list(DISTINCT b ORDER BY b), array_agg(a ORDER BY b DESC NULLS LAST, a), list(a ORDER BY ALL) FROM t
SELECT arg_max(s, x), arg_min(s, x), max_by(s, x), min_by(s, x), argmax(s, x), arg_max(s, x, 2), arg_min_null(s, x), arg_max(s, x ORDER BY s) FROM t
SELECT min(a), max(a), min(a, 2), max(a, 2), first(a ORDER BY a), last(a ORDER BY a), any_value(a ORDER BY a), arbitrary(a ORDER BY a), first(s ORDER BY b NULLS FIRST, a) FROM t
SELECT bool_and(a > 0), bool_or(a > 2), bit_and(a), bit_or(a), bit_xor(a), bitstring_agg(a, 1, 3) FROM t
SELECT stddev(x), stddev_samp(x), stddev_pop(x), variance(x), var_samp(x), var_pop(x), corr(a, b), covar_pop(a, b), covar_samp(a, b), regr_slope(a, b), regr_intercept(a, b), regr_r2(a,b), regr_count(a,b), skewness(x), kurtosis(x), kurtosis_pop(x), entropy(a), sem(x) FROM t
SELECT approx_count_distinct(a), histogram(b), histogram(b, [10, 20, 30]), approx_top_k(b, 1), reservoir_quantile(a, 0.5) FROM t WHERE b = 20
SELECT geomean(x), geometric_mean(abs(x)), weighted_avg(x, a), max(x) - min(x) FROM t WHERE x > 0
SELECT count_star() FROM t
SELECT a, row_number() OVER (ORDER BY a, b), rank() OVER (ORDER BY a), dense_rank() OVER w, ntile(2) OVER (ORDER BY a, b), percent_rank() OVER w, cume_dist() OVER w FROM t WINDOW w AS (ORDER BY a) ORDER BY ALL
SELECT a, lag(b) OVER (ORDER BY a, b), lead(b, 1, 0) OVER (ORDER BY a, b), first_value(b) OVER (ORDER BY a, b), last_value(b IGNORE NULLS) OVER (ORDER BY a, b), nth_value(b, 2) OVER (ORDER BY a, b) FROM t ORDER BY ALL
SELECT a, sum(b) OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), sum(b) OVER (ORDER BY a RANGE BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING), count(*) OVER (ORDER BY a GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM t ORDER BY ALL
SELECT a, sum(b) OVER (ORDER BY a, b ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW), sum(b) FILTER (WHERE b > 10) OVER (PARTITION BY a) FROM t ORDER BY ALL
SELECT a, lag(b IGNORE NULLS) OVER (ORDER BY a, b), first_value(b ORDER BY b DESC) OVER (), sum(DISTINCT b) OVER (), lead(b ORDER BY b) OVER (ORDER BY a) FROM t ORDER BY ALL
SELECT a, b FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY b DESC) = 1 ORDER BY ALL
SELECT a, rank() OVER (ORDER BY a RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW) FROM (SELECT d AS a FROM t) ORDER BY ALL
SELECT s FROM t WHERE s LIKE 'a%' ORDER BY 1
SELECT s FROM t WHERE s ILIKE 'AB%' ORDER BY 1
SELECT s FROM t WHERE s NOT ILIKE 'AB%' ORDER BY 1
SELECT s FROM t WHERE s LIKE 'a\_%' ESCAPE '\' ORDER BY 1
SELECT s FROM t WHERE s LIKE 'a$_c$%' ESCAPE '$' ORDER BY 1
SELECT s FROM t WHERE s SIMILAR TO '(a|A).*' ORDER BY 1
SELECT s FROM t WHERE s NOT SIMILAR TO '(a|A).*' ORDER BY 1
SELECT s FROM t WHERE s GLOB 'a*' ORDER BY 1
SELECT s FROM t WHERE s ~ 'b' ORDER BY 1
SELECT s FROM t WHERE s !~ 'a.*' ORDER BY 1
SELECT s ~~ 'a%', s !~~ 'a%', s ~~* 'A%', s !~~* 'A%', s ~~~ 'a*', s ^@ 'a', starts_with(s, 'a') FROM t ORDER BY ALL
SELECT a IS DISTINCT FROM 1, a IS NOT DISTINCT FROM NULL, a IS NULL, a IS NOT NULL, a ISNULL, a NOTNULL, (a > 1) IS TRUE, (a > 1) IS NOT FALSE, (a > 1) IS UNKNOWN FROM t ORDER BY ALL
SELECT a FROM t WHERE (a, b) IN ((1, 10), (2, 20)) ORDER BY 1
SELECT a FROM t WHERE (a, b) = (1, 10) OR (a, b) < (2, 0) ORDER BY 1
SELECT a FROM t WHERE a IN (SELECT a FROM u) ORDER BY 1
SELECT a FROM t WHERE a NOT IN (1, 2) AND NOT a IN (5) ORDER BY 1
SELECT a FROM t WHERE a IN [1, 2] ORDER BY 1
SELECT a FROM t WHERE a = ANY(SELECT a FROM u) ORDER BY 1
SELECT a FROM t WHERE a > ALL(SELECT a FROM u WHERE a < 2) ORDER BY 1
SELECT a = ANY([1,2]), a = SOME([3]), a <> ALL([1]) FROM t ORDER BY ALL
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a) ORDER BY 1
SELECT (SELECT max(a) FROM u), ARRAY(SELECT a FROM u ORDER BY a), [1, 2] || [3], 'a' || 1 || NULL
SELECT a BETWEEN 1 AND 2 AND b > 5 FROM t ORDER BY ALL
SELECT CASE WHEN a = 1 THEN 'x' WHEN a = 2 THEN 'y' ELSE 'z' END, CASE a WHEN 1 THEN 'o' END, if(a > 1, 'big', 'small'), ifnull(a, 0), nullif(a, 1), coalesce(a, b, 0), iff FROM (SELECT *, 1 AS iff FROM t) ORDER BY ALL
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r ORDER BY 1
WITH RECURSIVE tbl(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT a, b + 1 FROM tbl WHERE b < 4) SELECT * FROM tbl ORDER BY ALL
WITH c AS MATERIALIZED (SELECT a FROM t), e AS NOT MATERIALIZED (SELECT a FROM u) SELECT * FROM c JOIN e USING (a) ORDER BY ALL
WITH c(z) AS (SELECT a FROM t) FROM c ORDER BY ALL
SELECT TRY(1 / 0), TRY(CAST('x' AS INT)), TRY(ln(-1))
SELECT a FROM t ORDER BY a LIMIT 2 OFFSET 1
SELECT count(*) FROM (SELECT a FROM t LIMIT 40%)
SELECT count(*) FROM (SELECT a FROM t LIMIT 40 PERCENT)
SELECT a FROM t ORDER BY a LIMIT (SELECT 2)
SELECT a FROM t ORDER BY a OFFSET 2
SELECT a FROM t ORDER BY a FETCH FIRST 2 ROWS ONLY
SELECT a FROM t ORDER BY a LIMIT ALL
SELECT DISTINCT a FROM t ORDER BY a
SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b
SELECT a, b, grouping(a), grouping_id(a, b), count(*) FROM t GROUP BY GROUPING SETS ((a), (b), ()) ORDER BY ALL
SELECT a, b, count(*) FROM t GROUP BY ROLLUP (a, b) ORDER BY ALL
SELECT a, b, count(*) FROM t GROUP BY CUBE (a, b) ORDER BY ALL
SELECT a, count(*) FROM t GROUP BY a, ROLLUP (b) ORDER BY ALL
SELECT a, b, count(*) FROM t GROUP BY ROLLUP (a), CUBE (b) ORDER BY ALL
SELECT a, b, s, count(*) FROM t GROUP BY a, GROUPING SETS ((b, s), (b)) ORDER BY ALL
SELECT a, b, s, count(*) FROM t GROUP BY GROUPING SETS (ROLLUP (a, b), CUBE (s)) ORDER BY ALL
SELECT a, b, s, count(*) FROM t GROUP BY ROLLUP ((a, b), s) ORDER BY ALL
SELECT a + 1 AS k, count(*) FROM t GROUP BY k HAVING count(*) > 1 ORDER BY k
SELECT a, count(*) AS n FROM t GROUP BY 1 HAVING n > 1 ORDER BY 2, 1
SELECT a, count(*) FROM t GROUP BY () , a ORDER BY ALL
PIVOT sales ON yr USING sum(amount) ORDER BY ALL
PIVOT sales ON yr USING sum(amount) GROUP BY region ORDER BY ALL
PIVOT sales ON yr IN (2020, 2021) USING sum(amount) AS total, max(amount) AS m GROUP BY region ORDER BY ALL
FROM (PIVOT sales ON yr USING sum(amount) GROUP BY region) ORDER BY ALL
SELECT * FROM sales PIVOT (sum(amount) FOR yr IN (2020, 2021) GROUP BY region) ORDER BY ALL
SELECT * FROM sales PIVOT (sum(amount) AS s, count(*) AS c FOR yr IN (2020, 2021) GROUP BY region) AS p ORDER BY ALL
UNPIVOT sales ON q1, q2 INTO NAME q VALUE v ORDER BY ALL
UNPIVOT sales ON COLUMNS('q.*') INTO NAME q VALUE v ORDER BY ALL
UNPIVOT sales ON COLUMNS(* EXCLUDE (region, yr)) INTO NAME q VALUE v ORDER BY ALL
SELECT * FROM sales UNPIVOT (v FOR q IN (q1, q2)) ORDER BY ALL
SELECT * FROM sales UNPIVOT INCLUDE NULLS (v FOR q IN (amount, q2)) ORDER BY ALL
SELECT * FROM (UNPIVOT sales ON amount, q1 INTO NAME q VALUE v) ORDER BY ALL
UNPIVOT sales ON (q1, amount) AS x, (q2, yr) AS y INTO NAME q VALUE v, w ORDER BY ALL
PIVOT sales ON region || yr USING first(amount) GROUP BY q1 ORDER BY ALL
SELECT len(s), length(s), strlen(s), char_length(s), octet_length(s::BLOB), bit_length(s), unicode(s), ord(s), ascii(s), chr(65) FROM t ORDER BY ALL
SELECT upper(s), lower(s), ucase(s), lcase(s), reverse(s), trim(s), ltrim(s), rtrim(s), trim(s, 'a'), trim(BOTH 'a' FROM s), trim(LEADING FROM s), trim(TRAILING 'c' FROM s), ltrim(s, 'a') FROM t ORDER BY ALL
SELECT substring(s, 1, 2), substr(s, 2), substring(s FROM 2 FOR 1), substring(s FROM 2), left(s, 1), right(s, 1), left(s, -1), overlay(s PLACING 'zz' FROM 1 FOR 1), position('b' IN s), strpos(s, 'b'), instr(s, 'b') FROM t ORDER BY ALL
SELECT position('b' IN s), strpos(s, 'b'), instr(s, 'b'), contains(s, 'b'), prefix(s, 'a'), suffix(s, 'c'), ends_with(s, 'c'), lpad(s, 5, '-'), rpad(s, 5, '-'), repeat(s, 2), replace(s, 'a', 'b'), translate(s, 'ab', 'xy') FROM t ORDER BY ALL
SELECT regexp_matches(s, '^a'), regexp_full_match(s, 'a.*'), regexp_extract(s, '(a)(.)', 2), regexp_extract(s, 'b.'), regexp_extract(s, '(a)(b)', ['p', 'q']), regexp_extract_all(s, '.'), regexp_extract_all(s, '(.)b', 1), regexp_replace(s, 'a', 'z'), regexp_replace(s, '[a-c]', 'z', 'g'), regexp_split_to_array(s, 'b'), regexp_matches(s, 'ABC', 'i') FROM t ORDER BY ALL
SELECT string_split(s, 'b'), str_split(s, ''), split(s, 'b'), string_to_array(s, 'b'), split_part(s, 'b', 1), string_split_regex(s, '[bc]'), concat(s, a, NULL), concat_ws('-', s, NULL, a), format('{} {}', s, a), printf('%d', a), format('{:02d}', a) FROM t ORDER BY ALL
SELECT concat(s, a), s || a, concat(l, [1]), concat_ws(',', 'a', 'b') FROM t ORDER BY ALL
SELECT md5(s), sha1(s), sha256(s), hash(s), hex(s), to_hex(a), unhex('4142'), from_hex('4142'), base64(s::BLOB), to_base64(s::BLOB), from_base64('QQ=='), encode(s), decode(encode(s)), bin(a), to_binary(a) FROM t ORDER BY ALL
SELECT levenshtein(s, 'abd'), editdist3(s, 'abd'), damerau_levenshtein(s, 'acb'), jaccard(s || 'q', 'abc'), jaro_similarity(s, 'abc'), jaro_winkler_similarity(s, 'abc'), hamming('abc', 'abd'), mismatches('a', 'b') FROM t ORDER BY ALL
SELECT round(x), round(x, 1), floor(x), ceil(x), ceiling(x), trunc(x), abs(x), sign(x), sqrt(abs(x)), cbrt(x), exp(x), ln(abs(x) + 1), log(abs(x) + 1), log2(abs(x) + 1), log10(abs(x) + 1), log(2, 8), power(x, 2), pow(x, 2), mod(a, 2), gcd(a, b), lcm(a, b), factorial(3), even(x), isnan(x), isinf(x), isfinite(x), pi() FROM t ORDER BY ALL
SELECT sin(x), cos(x), tan(x), asin(0.5), acos(0.5), atan(x), atan2(x, 1), degrees(x), radians(x), cot(1), sinh(x), gamma(2), lgamma(3), greatest(a, b, 1), least(a, b, 1), @a, @(-5), -a, +a, - -a FROM t ORDER BY ALL
SELECT bit_count(a), xor(a, b), a & b | 1, a << 1, ~a, nextafter(x, 1.0), divide(a, 2), fdiv(a, 2), fmod(x, 2), add(a, 1), subtract(a, 1), multiply(a, 2) FROM t ORDER BY ALL
SELECT list_contains(l, 1), list_has(l, 1), array_contains(l, 1), array_has(l, 3), contains(l, 1), list_position(l, 3), list_indexof(l, 3), array_position(l, 3), list_has_any(l, [1]), list_has_all(l, [1]), l && [1], l @> [1], [1] <@ l, array_has_any(l, [1]) FROM t ORDER BY ALL
SELECT list_sort(l), list_sort(l, 'DESC'), list_sort(l, 'DESC', 'NULLS FIRST'), list_reverse_sort(l), array_sort(l), list_reverse(l), array_reverse(l), list_distinct(l), list_unique(l), array_distinct(l), list_any_value(l), list_grade_up(l), list_sort(l, 'asc', 'nulls last') FROM t ORDER BY ALL
SELECT list_append(l, 4), array_append(l, 4), list_prepend(0, l), array_prepend(0, l), array_push_back(l, 1), array_push_front(l, 1), array_pop_back(l), array_pop_front(l), list_concat(l, [1]), list_cat(l, [1]), array_concat(l, [1]), array_cat(l, [1]) FROM t ORDER BY ALL
SELECT list_slice(l, 1, 2), array_slice(l, 1, 2), list_slice(l, 1, 3, 2), list_extract(l, 1), list_element(l, 1), array_extract(l, 1), list_value(1, 2), list_pack(1), array_value(1, 2), list_zip([1], [2]), array_zip([1], [2]), flatten([[1], [2]]), list_resize(l, 2), list_select(l, [1]), list_where([1,2], [true, false]), len(l), array_length(l), cardinality(m), array_length([[1]], 1) FROM t ORDER BY ALL
SELECT list_sum(l), list_avg(l), list_min(l), list_max(l), list_count(l), list_product(l), list_aggregate(l, 'sum'), list_aggr(l, 'string_agg', '-'), array_aggregate(l, 'max'), list_first(l), list_last(l), list_median(l), list_stddev_pop(l), list_bool_and([true]), list_mode(l), list_string_agg(l), list_histogram(l), array_to_string(l, '-'), list_intersect(l, [1]), array_intersect(l, [1]), list_any_value(l) FROM t ORDER BY ALL
SELECT list_cosine_similarity([1.0,2.0],[2.0,1.0]), list_cosine_distance([1.0,2.0],[2.0,1.0]), list_distance([1.0],[2.0]), list_inner_product([1.0],[2.0]), list_dot_product([1.0],[2.0]), array_distance([1.0,2.0]::FLOAT[2],[2.0,1.0]::FLOAT[2]), array_cosine_similarity([1.0,2.0]::FLOAT[2],[2.0,1.0]::FLOAT[2]), array_inner_product([1.0,2.0]::FLOAT[2],[2.0,1.0]::FLOAT[2]), array_cross_product([1.0,2.0,3.0]::FLOAT[3],[2.0,1.0,1.0]::FLOAT[3]), [1.0] <-> [2.0], [1.0] <=> [2.0]
SELECT range(3), range(1, 3), range(1, 10, 2), generate_series(3), generate_series(1, 3), generate_series(1, 10, 4), range(DATE '2024-01-01', DATE '2024-01-03', INTERVAL 1 DAY)
SELECT * FROM range(3), generate_series(1, 2) AS g(n) ORDER BY ALL
SELECT * FROM range(1, 10, 3) r(v) ORDER BY ALL
SELECT * FROM range(DATE '2024-01-01', DATE '2024-01-03', INTERVAL 1 DAY) ORDER BY ALL
SELECT * FROM repeat(1, 3)
SELECT struct_extract(st, 'f'), struct_insert(st, h := 1), struct_keys(st), struct_concat({'a': 1}, {'b': 2}), struct_update({'a': 1}, a := 2), row_to_json(st), st::VARCHAR FROM t ORDER BY ALL
SELECT map_extract(m, 'k'), map_extract_value(m, 'k'), map_entries(m), map_contains(m, 'k'), map_concat(m, MAP {'y': 9}), cardinality(m), histogram(a) FROM t GROUP BY m ORDER BY ALL
SELECT union_value(k := 1), union_extract(union_value(k := 1), 'k'), union_tag(union_value(k := 1))
SELECT enum_range(NULL::ENUM('a','b')), enum_first(NULL::ENUM('a','b')), enum_code('b'::ENUM('a','b'))
SELECT alias(a), typeof(a), pg_typeof(a), constant_or_null(1, a), error(NULL), hash(a, b), current_schema(), current_database(), current_catalog, version() IS NOT NULL, current_setting('threads') IS NOT NULL, getvariable('q'), current_query() IS NOT NULL, current_user FROM t ORDER BY ALL
SELECT is_histogram_other_bin(1), can_cast_implicitly(1, 'x'), bar(1, 0, 10), formatReadableSize(1000), format_bytes(16000), url_encode('a b'), url_decode('a%20b'), parse_path('a/b'), parse_filename('a/b.c'), to_days(1), nfc_normalize('x'), strip_accents('é'), stats(1) IS NOT NULL
SELECT bitstring('101', 6), get_bit('101'::BIT, 1), set_bit('101'::BIT, 1, 1), bit_position('1'::BIT, '101'::BIT), '101'::BIT & '100'::BIT, bit_length('101'::BIT), octet_length('\xAA'::BLOB), blob_content FROM (SELECT 1 AS blob_content)
SELECT datepart('year', d), datepart('decade', d), date_part('dow', d), date_part('timezone', ts), nanosecond(ts), microsecond(ts), millisecond(ts), second(ts), minute(ts), hour(ts) FROM t ORDER BY ALL
SELECT twice(a), twice(q := 3) FROM t ORDER BY ALL
SELECT 1 AS "from", 2 AS "Select", 3 "x y", 4 AS "a""b", 5 z
SELECT "from", "Weird Name" FROM (SELECT 1 AS "from", 2 AS "Weird Name")
SELECT A, B AS Bee FROM T ORDER BY ALL
SELECT x: 1, y: 'a'
SELECT * FROM z: u ORDER BY ALL
SELECT [1, 2, 3,], {'a': 1,}
SELECT model, ndv FROM model
SELECT predict AS explain, explain AS predict, embed AS model FROM model AS ndv
SELECT model.model, model.ndv, m.predict FROM model AS m, model
SELECT ndv + 1 AS embed FROM model WHERE model = 'm' ORDER BY ndv
SELECT t.a AS a, count(*) AS "count" FROM main.t AS t GROUP BY t.a ORDER BY ALL
SELECT memory.main.t.a FROM memory.main.t ORDER BY ALL
SELECT t FROM u AS t ORDER BY ALL
SELECT (SELECT u FROM u WHERE a = 1).c
SELECT rowid, a FROM u ORDER BY ALL
SELECT NOT a = 1, NOT (a = 1 AND b = 2), a = 1 AND NOT b = 2 OR s = 'x', a != 1, a <> 1, a == 1 FROM t ORDER BY ALL
SELECT a + b * 2 - 3, (a + b) * 2, -(a - b), a - (b - 1), a / (b / 2), -2 ^ 2, 2 ^ -1, 10 - 3 - 2, 2 * 3 % 4 FROM t ORDER BY ALL
SELECT a IS NULL OR b IS NULL AND s IS NULL FROM t ORDER BY ALL
SELECT count(*) FROM t WHERE a::VARCHAR || b::VARCHAR = '110'
SELECT s COLLATE NOCASE = 'ABC', s FROM t ORDER BY s COLLATE NOCASE, s
SELECT s FROM t ORDER BY s COLLATE NOCASE.NOACCENT DESC, s
SELECT #1, #2 FROM u ORDER BY ALL
SELECT a FROM t ORDER BY a + b, -a
SELECT (a).c FROM (SELECT {'c': 1} AS a)
SELECT a.b.c.d FROM (SELECT {'b': {'c': {'d': 1}}} AS a)
SELECT l[1:2][1], st.f + 1, ([1,2,3])[2], [[1,2],[3]][1][2], {'a': [1,2]}.a[1] FROM t ORDER BY ALL
SELECT 'abc'.upper(), s.upper().lower(), l.list_transform(lambda x: x + 1), (s || 'x').len(), [1,2].len() FROM t ORDER BY ALL
SELECT 'a b c'.string_split(' ').list_transform(lambda x: x.upper()).list_aggr('string_agg', '-')
SELECT list_transform(l, lambda x: x + a) FROM t ORDER BY ALL
SELECT a, (SELECT count(*) FROM u WHERE u.a = t.a) AS n FROM t ORDER BY ALL
SELECT * FROM (SELECT a, b FROM t) AS q(k, v) ORDER BY ALL
SELECT * FROM t AS q(k) ORDER BY ALL
SELECT * FROM (t JOIN u USING (a)) ORDER BY ALL
SELECT * FROM u JOIN (t JOIN sales ON t.b > sales.amount) ON u.a = t.a ORDER BY ALL
SELECT count(*) FROM t JOIN u ON t.a = u.a JOIN sales ON sales.amount = u.a
SELECT t.a FROM t INNER JOIN u USING (a) WHERE t.b IS NOT NULL ORDER BY ALL
SELECT a FROM t WHERE b > (SELECT avg(b) FROM t) ORDER BY ALL
SELECT column_name, column_type FROM (DESCRIBE u) ORDER BY ALL
SELECT column_name, count FROM (SUMMARIZE u) ORDER BY ALL
SELECT * FROM (SHOW TABLES) ORDER BY ALL
SUMMARIZE u
DESCRIBE u
DESCRIBE SELECT a FROM t
DESC u
SHOW TABLES
DESCRIBE model
TABLE u
SELECT * FROM query('SELECT 1 AS q')
SELECT * FROM query_table('u') ORDER BY ALL
SELECT strftime(DATE '2024-01-01', '%Y'), strftime(TIMESTAMP '2024-01-01 01:02:03.004005', '%f %S')
SELECT CURRENT_DATE IS NOT NULL, current_timestamp IS NOT NULL, CURRENT_USER, session_user, user
SELECT cast(d AS VARCHAR), cast(ts AS DATE), cast(x AS INTEGER), d::TIMESTAMP, x::DECIMAL(4,1), dec::INT, dec * 2, dec / 3 FROM t ORDER BY ALL
SELECT sum(a) AS s1, sum(a::BIGINT), sum(dec), avg(dec), sum(a + b) / count(*) FROM t
SELECT position('a' IN s) > 0, s IN ('abc', 'x y'), s BETWEEN 'a' AND 'b' FROM t ORDER BY ALL
SELECT date '2024-01-01' + 5, date '2024-01-10' - date '2024-01-01', timestamp '2024-01-01' + interval 1 day
SELECT exists(SELECT 1), NOT EXISTS (SELECT 1 WHERE false)
SELECT map_from_entries([{'k': 'a', 'v': 1}]), [(1, 'a')]
SELECT a, CASE WHEN a IS NULL THEN NULL ELSE a END FROM t ORDER BY a NULLS FIRST, b NULLS FIRST
SELECT array_agg(a ORDER BY a NULLS FIRST), array_agg(a ORDER BY a DESC), list(a) FILTER (WHERE a IS NOT NULL) FROM t
SELECT any_value(a), first(a), last(a), arbitrary(a) FROM t WHERE a = 2
SELECT max(s), min(s), max(d), min(ts), count(DISTINCT (a, b)), count(DISTINCT s) FROM t
SELECT sum(a) OVER (), avg(a) OVER (PARTITION BY b) FROM t ORDER BY ALL
SELECT sum(CASE WHEN a = 1 THEN 1 ELSE 0 END), sum(if(a = 1, 1, 0)) FROM t
SELECT ST, Len(s), UPPER(s), Sum FROM (SELECT 1 AS ST, 'x' AS s, 2 AS Sum)
SELECT nullif(s, ''), ifnull(s, 'q'), coalesce(s), nvl FROM (SELECT s, 1 AS nvl FROM t) ORDER BY ALL
SELECT to_char FROM (SELECT 1 AS to_char)
SELECT date, time, timestamp, "interval", year, month, day, value, key, type, format, name FROM (SELECT 1 AS date, 2 AS time, 3 AS timestamp, 4 AS "interval", 5 AS year, 6 AS month, 7 AS day, 8 AS value, 9 AS key, 10 AS type, 11 AS format, 12 AS name)
SELECT row_number() OVER () AS rn FROM range(3) ORDER BY rn
SELECT /* hint */ a FROM t /* x */ WHERE a = 1 -- end
SELECT /*+ h */ a FROM t ORDER BY ALL
SELECT a FROM t WHERE a IN (1) AND b NOT IN (SELECT amount FROM sales WHERE amount IS NOT NULL) ORDER BY 1
SELECT DISTINCT s.region FROM sales s WHERE s.amount >= ALL (SELECT amount FROM sales WHERE amount IS NOT NULL)
SELECT list_reduce([1,2,3], lambda x, y: x + y, 10), list_transform([1,2], lambda x: {'v': x}), list_filter(['a', NULL], lambda x: x IS NOT NULL)
SELECT [1,2,3].list_filter(lambda x: x > 1)[1]
SELECT array_value(1,2)::INT[2], ['a', 'b']::VARCHAR[2]
SELECT variant_typeof(1::VARIANT), 1::VARIANT
SELECT to_json(a), json(s) FROM (SELECT 1 AS a, '{"x": 1}' AS s)
SELECT json_keys('{"a":1}'), json_array_length('[1,2]'), json_merge_patch('{"a":1}','{"b":2}'), json_contains('{"a":1}', '1'), json_exists('{"a":1}', '$.a'), json_value('{"a":1}', '$.a'), json_pretty('{"a":1}'), json_structure('{"a":1}'), json_transform('{"a":1}', '{"a":"INT"}'), from_json('{"a":1}', '{"a":"INT"}'), json_quote('x'), array_to_json([1]), json_each FROM (SELECT 1 AS json_each)
SELECT * FROM json_each('{"a": 1}') ORDER BY ALL
SELECT json_extract_path('{"a":1}', 'a'), json_extract_path_text('{"a":"x"}', 'a'), '{"a":1}' -> 'a', json_extract('{"a":[1,2]}', '$.a[0]'), json_extract('{"a b":1}', '$."a b"'), '{"a.b":1}'::JSON -> 'a.b', '{"a.b":1}'::JSON ->> '$."a.b"'
SELECT s[a], s[a:], (l)[1], list_value(1,2)[a] FROM t WHERE a = 1
SELECT count(DISTINCT s), string_agg(DISTINCT s, ',' ORDER BY s), list(DISTINCT s ORDER BY s DESC) FROM t
SELECT e'a\nb\t\'q\\', E'\x41', 'a\nb', $$dollar 'quoted'$$, $tag$x $$ y$tag$, 'it''s', E'\u00e9', ''
SELECT x'00ff', X'AABB', b'101', B'1'
SELECT * FROM t WHERE a IS NOT FALSE AND b IS NOT TRUE ORDER BY ALL
SELECT a IS NOT UNKNOWN FROM (SELECT a = 1 AS a FROM t) ORDER BY ALL
PIVOT (SELECT * FROM sales) ON yr USING sum(amount) AS s GROUP BY region
PIVOT sales ON yr USING count(*) ORDER BY ALL LIMIT 1
WITH p AS (PIVOT sales ON yr USING sum(amount) GROUP BY region) SELECT * FROM p ORDER BY ALL
SELECT * FROM (PIVOT sales ON yr USING sum(amount) GROUP BY region) ORDER BY ALL
PIVOT sales ON region, yr USING sum(amount)
SELECT * FROM (SHOW TABLES) ORDER BY ALL
SELECT count(*) FROM (SHOW ALL TABLES)
SELECT t.a AS x, t.* EXCLUDE (j, m, l, st) FROM t ORDER BY ALL
SELECT a, sum(b) AS total FROM t GROUP BY a HAVING sum(b) > 10 ORDER BY total DESC NULLS LAST, a ASC NULLS FIRST
SELECT a FROM t ORDER BY a ASC
SELECT a, b FROM t ORDER BY 2 DESC, 1 ASC NULLS FIRST
SELECT row_number() OVER (PARTITION BY a ORDER BY b DESC NULLS FIRST) FROM t ORDER BY ALL
SELECT a + 1 > 2 AND b * 2 < 50 OR NOT s LIKE 'a%' FROM t ORDER BY ALL
SELECT (a + b) % 3, a % b, a * (b + 1), (a), ((a)) FROM t ORDER BY ALL
SELECT CASE WHEN a > 1 AND (b > 1 OR s = '') THEN 1 END FROM t ORDER BY ALL
SELECT COUNT(*) AS c, Sum(a), MAX(b) FROM t
SELECT count ( * ), sum ( a ) FROM t
SELECT date_trunc('month', ts) AS mth, count(*) FROM t GROUP BY mth ORDER BY mth
SELECT a, b FROM t WHERE a = 1 UNION ALL SELECT a, NULL FROM u ORDER BY 1, 2 NULLS FIRST LIMIT 3
SELECT * FROM (SELECT 1 a UNION ALL SELECT 2) q WHERE a > 1
SELECT * FROM ((SELECT 1 a)) q
SELECT * FROM (((SELECT 1 a) UNION (SELECT 2))) q ORDER BY 1
SELECT a FROM (FROM t) ORDER BY ALL
FROM (FROM t SELECT a) WHERE a = 1
FROM t AS q SELECT q.a, max(q.b) GROUP BY q.a ORDER BY ALL
FROM range(5) AS r(i) SELECT i WHERE i > 2 ORDER BY i
WITH a AS (SELECT 1 x), b AS (SELECT x + 1 y FROM a) SELECT * FROM a, b
WITH a AS (SELECT 1 x) SELECT (WITH b AS (SELECT x FROM a) SELECT x FROM b)
SELECT * FROM t JOIN u ON t.a = u.a AND t.b > 5 LEFT JOIN sales ON sales.yr = 2020 ORDER BY ALL
SELECT * FROM u LEFT JOIN LATERAL (SELECT max(b) mb FROM t WHERE t.a = u.a) ON true ORDER BY ALL
SELECT * FROM u, LATERAL (SELECT max(b) mb FROM t WHERE t.a = u.a) q ORDER BY ALL
SELECT u.a, x.v FROM u, unnest([u.a, 10]) AS x(v) ORDER BY ALL
SELECT u.a, v FROM u CROSS JOIN unnest([1,2]) AS q(v) ORDER BY ALL
SELECT generate_subscripts([4,5], 1), unnest([4,5])
SELECT unnest(l) + 1 FROM t WHERE a = 1 ORDER BY 1
SELECT a, unnest(generate_series(1, a)) FROM t WHERE a < 3 ORDER BY ALL
SELECT * FROM pragma_table_info('u') ORDER BY ALL
SELECT function_name FROM duckdb_functions() WHERE function_name = 'abs' LIMIT 1
SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY ALL
SELECT ts::DATE AS day, count(*) FROM t GROUP BY ALL ORDER BY ALL
SELECT sum(a)::INTEGER, avg(a)::DECIMAL(10, 3), (a::DOUBLE)::VARCHAR FROM t GROUP BY a ORDER BY ALL
SELECT interval, "interval" + 1 FROM (SELECT 1 AS "interval")
SELECT d BETWEEN DATE '2024-01-01' AND DATE '2024-01-01' + INTERVAL 30 DAY FROM t ORDER BY ALL
SELECT ts > TIMESTAMP '2024-01-01' - INTERVAL '3 months 2 days' FROM t ORDER BY ALL
SELECT extract(day FROM d), EXTRACT(DAYS FROM ts - ts), extract('hour' FROM ts), extract(isoyear from d) FROM t ORDER BY ALL
SELECT left(s, 2), right(s, 2), replace(s, 'a', 'b'), if(a = 1, 'x', 'y'), log(10), mod(7, 4), row(1, 2), char_length(s) FROM t ORDER BY ALL
SELECT max(a), min(b), max(a) FILTER (WHERE b > 10), min(s) OVER (), max(a, 2) FROM t GROUP BY s ORDER BY ALL
SELECT sum(a) FILTER (b > 10) OVER (ORDER BY a, b) FROM t ORDER BY ALL
SELECT count(*) OVER w AS c, sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b ORDER BY a), w2 AS (ORDER BY a) ORDER BY ALL
SELECT sum(a) OVER (w ROWS 1 PRECEDING) FROM t WINDOW w AS (ORDER BY a, b) ORDER BY ALL
SELECT lag(a, 1, -1) OVER (ORDER BY a, b), first_value(a IGNORE NULLS) OVER (ORDER BY b, a), nth_value(a, 1 IGNORE NULLS) OVER (ORDER BY b, a), last_value(a RESPECT NULLS) OVER (ORDER BY a, b) FROM t ORDER BY ALL
SELECT fill(x) OVER (ORDER BY rn) FROM (SELECT 1.0 AS x, 1 AS rn UNION ALL SELECT NULL, 2 UNION ALL SELECT 3.0, 3) ORDER BY ALL
SELECT list_filter(l, lambda v: v > 1), list_transform(l, lambda v, i: v + i), list_transform(l, lambda v: CASE WHEN v > 1 THEN 'x' ELSE 'y' END), list_transform(l, lambda v: [v, v + 1]) FROM t ORDER BY ALL
SELECT list_filter(l, lambda v: v IS NOT NULL AND v BETWEEN 1 AND 2), list_transform(l, lambda v: v::VARCHAR || 'z') FROM t ORDER BY ALL
SELECT [x * i FOR x, i IN [5, 6] IF x > 5], [[y FOR y IN [x]] FOR x IN [1,2]], [x::VARCHAR FOR x IN range(3)]
SELECT {'a': 1, 'b c': 2, "d": 3}, {a: 1, b: 'x'}, {'k': {'z': [1,2]}}['k']['z'][1], struct_pack(k := 1).k
SELECT CAST({'x': 1} AS STRUCT(x VARCHAR)), CAST([1] AS DOUBLE[]), NULL::MAP(INTEGER, VARCHAR[]), NULL::STRUCT("a b" INTEGER, c STRUCT(d DATE))
SELECT CAST(1 AS DECIMAL(18, 3)), 1::NUMERIC(4, 1), 1::DEC(3), 1.5::NUMERIC, 'a'::CHAR(3), 'a'::TEXT, 'a'::STRING, 1::INT32, 1::LONG, 1::SHORT, 1::SIGNED, 1::BIGINT, 1::OID, 't'::BOOLEAN
SELECT t.a, t.b FROM t WHERE t.a IN (SELECT a FROM u WHERE u.c LIKE 'o%') AND EXISTS (FROM u WHERE u.a = t.a) ORDER BY ALL
SELECT a FROM t WHERE a NOT IN (SELECT a FROM u WHERE a IS NOT NULL) ORDER BY ALL
SELECT a FROM t WHERE (a, b) NOT IN (SELECT a, a * 10 FROM u) ORDER BY ALL
SELECT COALESCE(a, 0) + COALESCE(b, a, 0), NULLIF(a, 1), IFNULL(b, -1), GREATEST(a, 2), LEAST(a, b) FROM t ORDER BY ALL
SELECT COLUMNS('a')::VARCHAR, sum(COLUMNS('^(a|b)$')) OVER () FROM t ORDER BY ALL
SELECT COLUMNS(* EXCLUDE (c)) + 1 FROM (SELECT a, c FROM u) ORDER BY ALL
SELECT COLUMNS(* REPLACE (a * 2 AS a)) FROM (SELECT a, c FROM u) ORDER BY ALL
SELECT struct_pack(*COLUMNS(['a', 'c'])) FROM u ORDER BY ALL
SELECT a AS a1, a1 + 1 AS a2, a2 * 2 FROM u ORDER BY ALL
SELECT DISTINCT ON (a, b) a, b, s FROM t ORDER BY a, b, s
SELECT DISTINCT a, b FROM t ORDER BY ALL LIMIT 3 OFFSET 1
SELECT ALL a FROM t ORDER BY ALL
SELECT a FROM t ORDER BY a LIMIT 10 PERCENT
SELECT a FROM t ORDER BY a OFFSET 1 LIMIT 2
SELECT a FROM t GROUP BY a HAVING count(*) FILTER (WHERE b IS NOT NULL) >= 1 ORDER BY a
SELECT a, b, count(*) FROM t GROUP BY GROUPING SETS (a, b, (a, b), ()) ORDER BY ALL
SELECT a, grouping(a) FROM t GROUP BY CUBE (a) HAVING grouping(a) = 0 ORDER BY ALL
SELECT 1 -- trailing
SELECT /* a */ 1 /* b */ + /* c */ 2
SELECT 1 AS a UNION ALL BY NAME SELECT 2 AS b ORDER BY ALL
SELECT * FROM t TABLESAMPLE 100 PERCENT (bernoulli) ORDER BY ALL
SELECT count(*) FROM t USING SAMPLE 2
SELECT count(*) FROM t USING SAMPLE 100 PERCENT (system)
SELECT count(*) FROM range(50) USING SAMPLE SYSTEM(100 PERCENT)
SELECT count(*) FROM range(50) tbl TABLESAMPLE SYSTEM(100%), u
SELECT a FROM t WHERE s IS NOT DISTINCT FROM 'abc' OR a IS DISTINCT FROM b ORDER BY ALL
SELECT a::TEXT LIKE '1%', s || 'x' LIKE '%x', NOT s ILIKE 'A%' FROM t ORDER BY ALL
SELECT 'a' IN ('a'), 1 NOT IN (2, 3), NULL IN (1)
SELECT min(a, 2), arg_max(a, b, 2), max(a) + 1 FROM t
SELECT @a + 1, @ a * 2, ~a & 3, -a ** 2, 2 ** -1 FROM t ORDER BY ALL
SELECT a->>'x' FROM (SELECT '{"x": 1}'::JSON AS a) WHERE (a->>'x')::INT = 1
SELECT json_extract(j, 'a'), j ->> ['k', 'a'], json_extract_string(j, ['$.k']) FROM t ORDER BY ALL
SELECT 1 WHERE 1 = 1 AND (2 = 2 OR 3 = 4) AND NOT (5 = 6)
SELECT d::VARCHAR, strftime(d, '%Y'), d + INTERVAL (a) MONTH, date_part('month', d) = 1 FROM t ORDER BY ALL
SELECT s COLLATE NOCASE FROM t ORDER BY 1
SELECT CURRENT_TIMESTAMP - CURRENT_TIMESTAMP, current_date - current_date, now() - now()
SELECT typeof(CURRENT_TIME), typeof(LOCALTIME) , typeof(LocalTimestamp)
SELECT 1 = ANY (SELECT a FROM u), 1 >= ALL (SELECT a FROM u), 3 = ANY ([1,2,3])
SELECT t1.a, t2.a FROM t t1 JOIN t t2 ON t1.a < t2.a ORDER BY ALL
SELECT * FROM u u1 NATURAL LEFT JOIN u u2 ORDER BY ALL
SELECT a FROM t SEMI JOIN u USING (a) WHERE b > 1 ORDER BY ALL
SELECT * FROM u ASOF JOIN (SELECT ts, b FROM t) q ON u.ts >= q.ts ORDER BY ALL
SELECT "a", "t"."b", "main"."t"."s" FROM "t" ORDER BY ALL
SELECT 'x' AS "group", 1 AS "order", 2 AS "table"
SELECT 1 AS left, 2 AS right, 3 AS replace, 4 AS columns_, 5 AS filter, 6 AS over_, 7 AS first, 8 AS last, 9 AS row, 10 AS rows, 11 AS range, 12 AS no, 13 AS current, 14 AS percent FROM (SELECT 1) WHERE TRUE
SELECT first, last, rows, percent, range, current, key, value, day, hour, zone, type, temp, view, index, schema, comment, cache, load, use, set, do_ FROM (SELECT 1 AS first, 2 last, 3 AS rows, 4 AS percent, 5 AS range, 6 AS current, 7 AS key, 8 AS value, 9 AS day, 10 AS hour, 11 AS zone, 12 AS type, 13 AS temp, 14 AS view, 15 AS index, 16 AS schema, 17 AS comment, 18 AS cache, 19 AS load, 20 AS use, 21 AS set, 22 AS do_)
SELECT format, final, escape, offset_, date, kind, sequence, uuid, json, map_, list, struct_, bit, text, int_, desc_, asc_ FROM (SELECT 1 AS format, 2 AS final, 3 AS escape, 4 AS offset_, 5 AS date, 6 AS kind, 7 AS sequence, 8 AS uuid, 9 AS json, 10 AS map_, 11 AS list, 12 AS struct_, 13 AS bit, 14 AS text, 15 AS int_, 16 AS desc_, 17 AS asc_)
SELECT reset, vacuum, call, prepare, execute, fetch_, rename, optimize, explain, describe_, show_, refresh, declare, kill, top, style, policy, source FROM (SELECT 1 AS reset, 2 AS vacuum, 3 AS call, 4 AS prepare, 5 AS execute, 6 AS fetch_, 7 AS rename, 8 AS optimize, 9 AS explain, 10 AS describe_, 11 AS show_, 12 AS refresh, 13 AS declare, 14 AS kill, 15 AS top, 16 AS style, 17 AS policy, 18 AS source)
SELECT trunc(x), round(x, 0), ceil(x), floor(x), sign(x), abs(x), exp(1), ln(2), log(100), log(2, 8), power(2, 3), sqrt(4) FROM t ORDER BY ALL
SELECT * FROM t QUALIFY count(*) OVER (PARTITION BY a) > 1 ORDER BY ALL
SELECT a, b FROM t WHERE TRUE GROUP BY a, b HAVING TRUE QUALIFY row_number() OVER (ORDER BY a) < 3 ORDER BY ALL LIMIT 5
SELECT l[a], l[a + 1], l[a:a+1], l[0], l[-a], m['k'] FROM t WHERE a = 1 ORDER BY ALL
SELECT strftime(d, '%Y-%m-%d'), strftime(TIMESTAMP '2024-01-01 01:02:03', '%d/%m/%y %H:%M:%S') FROM t ORDER BY ALL
SELECT 12345.678, 1e10, 1.5e-3, .5, 5., 0.1, 100000000000000000000
SELECT INTERVAL 1 DAY, INTERVAL '1' MONTH, INTERVAL '1 month 2 days', INTERVAL (1 + 1) HOUR, '1 year'::INTERVAL
SELECT $$dollar 'quoted'$$, $tag$x $$ y$tag$, e'a\nb\t\'q\\', E'\x41', 'a\nb'
SELECT DATE '2024-01-01'::VARCHAR, typeof(DATE '2024-01-01'::VARCHAR), TIMESTAMP '2024-01-01'::DATE, DECIMAL(5,2) '1.5', TIMESTAMP WITH TIME ZONE '2024-01-01 00:00:00+00'::VARCHAR
SELECT -1.5::DECIMAL(3,1), - -1::INT, (-1)::VARCHAR, -a::INT, 1::INT::VARCHAR, (a)::VARCHAR FROM t ORDER BY ALL
SELECT (j ->> '$.k')::VARCHAR, j ->> '$.k'::VARCHAR, (a + b)::VARCHAR, a || b::VARCHAR, NOT (a = 1)::BOOLEAN, l[1]::VARCHAR, st.f::VARCHAR, CASE WHEN a = 1 THEN 2 END::VARCHAR, INTERVAL 1 DAY::VARCHAR FROM t ORDER BY ALL
SELECT '2024-01-01 00:00:00'::TIMESTAMP AT TIME ZONE 'UTC' = '2024-01-01 00:00:00+00'::TIMESTAMPTZ, 'a'::VARCHAR COLLATE NOCASE = 'A', ([1, 2]::INT[])[1], {'a': 1}::STRUCT(a INT).a, NULL::INT IS NULL, 2 ** 3::DOUBLE
SELECT count(*)::INTEGER, sum(a)::DOUBLE / count(*)::DOUBLE, max(a)::VARCHAR || 'x', count(*) FILTER (WHERE a > 1)::INTEGER FROM t
SELECT list(y ORDER BY y)[1], list(y)[1:2] FROM (VALUES (1), (2)) AS t(y);
