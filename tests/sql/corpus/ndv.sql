SELECT ndv(l_orderkey) AS n FROM lineitem

SELECT ndv(l_orderkey) AS a, ndv(l_partkey) AS b, ndv(l_suppkey) AS c, ndv(l_comment) AS d FROM lineitem

SELECT count(*) AS c, ndv(o_custkey) AS n, sum(o_totalprice) AS s, min(o_orderdate) AS d FROM orders

SELECT l_returnflag, ndv(l_orderkey) AS n FROM lineitem GROUP BY l_returnflag ORDER BY l_returnflag

SELECT l_returnflag, l_linestatus, ndv(l_partkey) AS n, avg(l_quantity) AS q FROM lineitem GROUP BY ALL ORDER BY ALL

SELECT l_shipmode, ndv(l_orderkey) AS n FROM lineitem GROUP BY l_shipmode HAVING ndv(l_orderkey) > 6000 ORDER BY n DESC, l_shipmode

SELECT l_shipmode FROM lineitem GROUP BY l_shipmode HAVING ndv(l_suppkey) = 100 ORDER BY l_shipmode

SELECT l_suppkey, ndv(l_partkey) AS n FROM lineitem GROUP BY l_suppkey ORDER BY n DESC, l_suppkey LIMIT 10

SELECT l_suppkey, ndv(l_partkey) AS n FROM lineitem GROUP BY l_suppkey ORDER BY ndv(l_partkey), l_suppkey LIMIT 10 OFFSET 5

SELECT o_orderstatus AS s, ndv(o_custkey) AS n FROM orders GROUP BY s ORDER BY s

SELECT year(o_orderdate) AS y, ndv(o_custkey) AS n FROM orders GROUP BY y ORDER BY y

SELECT date_trunc('month', o_orderdate) AS m, ndv(o_custkey) AS n, ndv(o_clerk) AS k FROM orders GROUP BY m ORDER BY m

SELECT extract(year FROM l_shipdate) AS y, extract(quarter FROM l_shipdate) AS q, ndv(l_suppkey) AS n FROM lineitem GROUP BY y, q ORDER BY y, q

SELECT l_orderkey, ndv(l_partkey) AS n FROM lineitem GROUP BY l_orderkey HAVING n > 6 ORDER BY l_orderkey

SELECT n, count(*) AS orders FROM (SELECT l_orderkey, ndv(l_suppkey) AS n FROM lineitem GROUP BY l_orderkey) GROUP BY n ORDER BY n

SELECT ndv(l_orderkey % 100) AS a, ndv(l_quantity * 2) AS b, ndv(upper(l_shipmode)) AS c FROM lineitem

SELECT ndv(l_extendedprice * (1 - l_discount)) AS n FROM lineitem WHERE l_orderkey < 20000

SELECT ndv(substring(p_name, 1, 3)) AS n, ndv(length(p_name)) AS l FROM part

SELECT ndv(p_type || p_brand) AS n FROM part

SELECT ndv(CASE WHEN p_size > 25 THEN p_brand END) AS n FROM part

SELECT ndv(coalesce(nullif(p_size, 5), 0)) AS n FROM part

SELECT ndv(l_shipdate - l_commitdate) AS n FROM lineitem

SELECT ndv(l_shipdate::TIMESTAMP) AS n, ndv(l_shipdate::VARCHAR) AS v FROM lineitem

SELECT ndv(l_quantity::DOUBLE / 7) AS n, ndv(l_quantity::FLOAT) AS f, ndv(l_quantity::TINYINT) AS t FROM lineitem

SELECT ndv([l_quantity, l_discount]) AS n FROM lineitem

SELECT ndv({'a': l_quantity, 'b': l_tax}) AS n FROM lineitem

SELECT ndv((l_returnflag, l_linestatus)) AS n FROM lineitem

SELECT ndv(MAP {l_shipmode: l_tax}) AS n FROM lineitem

SELECT ndv(l_orderkey::HUGEINT * 10000000000000000) AS n FROM lineitem

SELECT ndv(l_comment::BLOB) AS n FROM lineitem WHERE l_shipmode = 'AIR'

SELECT ndv(l_orderkey) FILTER (WHERE l_quantity > 49) AS a, ndv(l_orderkey) FILTER (WHERE l_quantity < 2) AS b FROM lineitem

SELECT l_shipmode, ndv(l_suppkey) FILTER (WHERE l_discount = 0.05) AS n, count(*) FILTER (WHERE l_discount = 0.05) AS c FROM lineitem GROUP BY l_shipmode ORDER BY 1

SELECT ndv(l_partkey) FILTER (WHERE false) AS n FROM lineitem

SELECT ndv(l_partkey) FILTER (WHERE l_shipinstruct = 'NONE' AND year(l_shipdate) = 1995) AS n FROM lineitem

SELECT ndv(l_suppkey) AS n FROM lineitem WHERE l_shipdate BETWEEN DATE '1995-01-01' AND DATE '1995-01-31'

SELECT ndv(l_suppkey) AS n FROM lineitem WHERE l_quantity < 0

SELECT l_shipmode, ndv(l_suppkey) AS n FROM lineitem WHERE l_quantity < 0 GROUP BY l_shipmode

SELECT ndv(c_nationkey) AS n FROM customer WHERE c_acctbal > 9000

SELECT ndv(o_custkey) AS n FROM orders WHERE o_comment LIKE '%special%'

SELECT ndv(ps_suppkey) AS n FROM partsupp WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_size = 1)

SELECT n_name, ndv(c_custkey) AS n FROM customer JOIN nation ON c_nationkey = n_nationkey GROUP BY n_name ORDER BY n_name

SELECT r_name, ndv(n_nationkey) AS n, ndv(s_suppkey) AS s FROM region JOIN nation ON r_regionkey = n_regionkey LEFT JOIN supplier ON s_nationkey = n_nationkey GROUP BY r_name ORDER BY r_name

SELECT c_mktsegment, ndv(o_orderkey) AS n FROM customer, orders WHERE c_custkey = o_custkey GROUP BY c_mktsegment ORDER BY 1

SELECT c_mktsegment, ndv(l_partkey) AS n, ndv(l_suppkey) AS s FROM customer, orders, lineitem WHERE c_custkey = o_custkey AND o_orderkey = l_orderkey GROUP BY c_mktsegment ORDER BY 1

SELECT ndv(o_orderkey) AS n, ndv(c_custkey) AS c FROM customer LEFT JOIN orders ON c_custkey = o_custkey

SELECT ndv(o_orderkey) AS n FROM customer RIGHT JOIN orders ON c_custkey = o_custkey AND c_acctbal > 0

SELECT ndv(c_custkey) AS n FROM customer ANTI JOIN orders ON c_custkey = o_custkey

SELECT ndv(c_custkey) AS n FROM customer SEMI JOIN orders ON c_custkey = o_custkey

SELECT ndv(a.n_name) AS n FROM nation a, nation b WHERE a.n_regionkey = b.n_regionkey AND a.n_nationkey < b.n_nationkey

SELECT ndv(s_name) AS n FROM supplier NATURAL JOIN (SELECT 3 AS s_nationkey)

SELECT p_brand, ndv(ps_suppkey) AS n FROM partsupp, part WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%' GROUP BY p_brand ORDER BY p_brand

SELECT p_brand, p_type, p_size, ndv(ps_suppkey) AS supplier_cnt FROM partsupp, part WHERE p_partkey = ps_partkey AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9) AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%') GROUP BY p_brand, p_type, p_size ORDER BY supplier_cnt DESC, p_brand, p_type, p_size

SELECT ndv(x) AS n FROM (SELECT l_orderkey + l_linenumber AS x FROM lineitem WHERE l_tax = 0)

SELECT ndv(x) AS n FROM (SELECT DISTINCT l_suppkey AS x FROM lineitem)

SELECT ndv(x) AS n FROM (SELECT l_suppkey AS x FROM lineitem UNION ALL SELECT c_custkey FROM customer)

SELECT ndv(x) AS n FROM (SELECT l_suppkey AS x FROM lineitem ORDER BY l_orderkey, l_linenumber LIMIT 50)

SELECT ndv(total) AS n FROM (SELECT o_custkey, count(*) AS total FROM orders GROUP BY o_custkey)

SELECT max(n) AS m, min(n) AS i, avg(n) AS a FROM (SELECT o_custkey, ndv(o_clerk) AS n FROM orders GROUP BY o_custkey)

SELECT (SELECT ndv(c_custkey) FROM customer) - (SELECT ndv(o_custkey) FROM orders) AS without_orders

SELECT n_name FROM nation WHERE n_nationkey < (SELECT ndv(r_regionkey) FROM region) ORDER BY 1

SELECT count(*) AS c FROM customer WHERE c_custkey IN (SELECT ndv(o_clerk) FROM orders GROUP BY o_orderpriority)

SELECT count(*) AS c FROM nation WHERE EXISTS (SELECT ndv(s_suppkey) FROM supplier HAVING ndv(s_suppkey) > 99)

WITH per AS (SELECT l_suppkey AS s, ndv(l_partkey) AS n FROM lineitem GROUP BY s) SELECT s_name, n FROM per JOIN supplier ON s = s_suppkey ORDER BY n DESC, s_name LIMIT 5

WITH a AS (SELECT ndv(o_custkey) AS n FROM orders), b AS (SELECT ndv(c_custkey) AS n FROM customer) SELECT a.n, b.n AS m FROM a, b

WITH big AS (SELECT * FROM orders WHERE o_totalprice > 200000) SELECT ndv(o_custkey) AS n FROM big

WITH per AS MATERIALIZED (SELECT o_orderpriority AS p, ndv(o_custkey) AS n FROM orders GROUP BY p) SELECT x.p, x.n, y.n - x.n AS d FROM per x JOIN per y ON x.p = y.p ORDER BY x.p

SELECT 'orders' AS t, ndv(o_custkey) AS n FROM orders UNION ALL SELECT 'customers', ndv(c_custkey) FROM customer ORDER BY t

SELECT ndv(n_name) AS n FROM nation EXCEPT SELECT 24

SELECT ndv(n_name) AS n FROM nation INTERSECT SELECT ndv(n_nationkey) FROM nation

SELECT l_returnflag, l_shipmode, ndv(l_suppkey) AS n FROM lineitem GROUP BY ROLLUP (l_returnflag, l_shipmode) ORDER BY ALL NULLS LAST

SELECT l_returnflag, l_linestatus, ndv(l_orderkey) AS n, count(*) AS c FROM lineitem GROUP BY CUBE (l_returnflag, l_linestatus) ORDER BY ALL NULLS LAST

SELECT o_orderstatus, o_orderpriority, ndv(o_custkey) AS n FROM orders GROUP BY GROUPING SETS ((o_orderstatus), (o_orderpriority), ()) ORDER BY ALL NULLS LAST

SELECT o_orderstatus, grouping(o_orderstatus) AS g, ndv(o_clerk) AS n FROM orders GROUP BY ROLLUP (o_orderstatus) HAVING ndv(o_clerk) > 5 ORDER BY ALL NULLS LAST

SELECT p_mfgr, ndv(p_brand) AS b, ndv(p_type) AS t, ndv(p_size) AS s, ndv(p_container) AS c, ndv(p_retailprice) AS r FROM part GROUP BY p_mfgr ORDER BY 1

SELECT p_mfgr, ndv(p_brand) AS b, ndv(p_brand) AS b2, ndv(p_brand) + 1 AS b3, 2 * ndv(p_brand) AS b4 FROM part GROUP BY p_mfgr ORDER BY 1

SELECT round(100.0 * ndv(o_custkey) / count(*), 3) AS percent FROM orders

SELECT ndv(o_custkey) > 900 AS b, ndv(o_custkey)::VARCHAR || '!' AS v, -ndv(o_custkey) AS m, ndv(o_custkey) BETWEEN 1 AND 5000 AS w FROM orders

SELECT CASE WHEN ndv(n_regionkey) = 5 THEN 'all' ELSE 'some' END AS r FROM nation

SELECT greatest(ndv(n_regionkey), ndv(n_name)) AS g, coalesce(ndv(n_comment), 0) AS c FROM nation

SELECT n_regionkey % 2 AS g, ndv(n_name) AS n FROM nation GROUP BY n_regionkey % 2 ORDER BY g

SELECT n_regionkey % 2 AS g, n_regionkey % 2 + ndv(n_name) AS n FROM nation GROUP BY n_regionkey % 2 ORDER BY g

SELECT o_orderstatus, ndv(o_custkey) AS n, rank() OVER (ORDER BY ndv(o_custkey) DESC) AS r FROM orders GROUP BY o_orderstatus ORDER BY r, o_orderstatus

SELECT o_orderpriority, ndv(o_custkey) AS n, sum(ndv(o_custkey)) OVER () AS s FROM orders GROUP BY o_orderpriority ORDER BY 1

SELECT o_orderpriority AS p, ndv(o_custkey) AS n FROM orders GROUP BY p QUALIFY row_number() OVER (ORDER BY n DESC, p) <= 2 ORDER BY n DESC, p

SELECT DISTINCT ndv(l_linenumber) AS n FROM lineitem GROUP BY l_shipmode

SELECT string_agg(DISTINCT l_shipmode, ',' ORDER BY l_shipmode) AS s, ndv(l_shipmode) AS n FROM lineitem

SELECT count(DISTINCT l_shipmode) AS c, ndv(l_shipmode) AS n, approx_count_distinct(l_returnflag) AS a FROM lineitem

SELECT ndv(NULL::INTEGER) AS n, ndv(1) AS o, ndv('x') AS x FROM nation

SELECT ndv(l.l_orderkey) AS n FROM lineitem AS l WHERE l.l_linenumber = 7

SELECT ndv("l_orderkey") AS "distinct orders" FROM "lineitem" WHERE "l_linenumber" = 6

FROM orders SELECT ndv(o_custkey) AS n WHERE o_orderstatus = 'P'

SELECT ndv(unnested) AS n FROM (SELECT unnest(split(p_name, ' ')) AS unnested FROM part)

SELECT ndv(word) AS n FROM (SELECT unnest(string_split(o_comment, ' ')) AS word FROM orders) WHERE length(word) > 3

CREATE TABLE by_mode AS SELECT l_shipmode AS m, ndv(l_suppkey) AS n FROM lineitem GROUP BY m

SELECT * FROM by_mode ORDER BY m

INSERT INTO by_mode SELECT 'all', ndv(l_suppkey) FROM lineitem

INSERT INTO by_mode (n) SELECT ndv(o_custkey) FROM orders GROUP BY o_orderstatus

SELECT m, n FROM by_mode ORDER BY m NULLS LAST, n

CREATE VIEW customers_by_year AS SELECT year(o_orderdate) AS y, ndv(o_custkey) AS n FROM orders GROUP BY y

SELECT * FROM customers_by_year WHERE n > 100 ORDER BY y

SELECT ndv(n) AS n FROM customers_by_year

UPDATE by_mode SET n = (SELECT ndv(n_name) FROM nation) WHERE m = 'AIR'

DELETE FROM by_mode WHERE n = (SELECT ndv(n_name) FROM nation)

SELECT count(*) AS c, sum(n) AS s FROM by_mode

SELECT ndv(o_custkey) AS n FROM orders o WHERE EXISTS (SELECT 1 FROM lineitem WHERE l_orderkey = o.o_orderkey AND l_quantity = 50)

SELECT s_nationkey, ndv(l_partkey) AS n FROM supplier JOIN lineitem ON s_suppkey = l_suppkey WHERE l_returnflag = 'R' GROUP BY s_nationkey HAVING count(*) > 500 ORDER BY 1

SELECT c_nationkey, ndv(o_orderdate) AS d, ndv(o_orderpriority) AS p, max(o_totalprice) AS m FROM customer JOIN orders ON c_custkey = o_custkey GROUP BY 1 ORDER BY 1

SELECT l_shipmode, list(n ORDER BY n) AS l FROM (SELECT l_shipmode, l_returnflag, ndv(l_suppkey) AS n FROM lineitem GROUP BY 1, 2) GROUP BY 1 ORDER BY 1

PIVOT (SELECT o_orderstatus AS s, year(o_orderdate) AS y, o_custkey % 10 AS c FROM orders WHERE y < 1994) ON s USING max(c) GROUP BY y ORDER BY y

SELECT ndv(l_orderkey) AS n FROM lineitem TABLESAMPLE system(100%)

SELECT ndv(o_totalprice) AS n FROM orders WHERE o_orderdate = (SELECT max(o_orderdate) FROM orders)
