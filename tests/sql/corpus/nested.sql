CREATE TABLE n AS SELECT * FROM (VALUES (1, [1, 2], {'a': 1, 'b': 'x'}, MAP {'k': 1}), (2, [], {'a': NULL, 'b': 'y'}, MAP {}), (3, NULL, NULL, NULL), (4, [NULL, 5], {'a': 4, 'b': NULL}, MAP {'p': NULL, 'q': 2})) AS v(id, l, s, m)

SELECT * FROM n ORDER BY id

SELECT id, l[1], l[-1], len(l), s.a, s['b'], m['k'], cardinality(m) FROM n ORDER BY id

SELECT id, unnest(l) FROM n ORDER BY id

SELECT id, unnest(s) FROM n ORDER BY id

SELECT list(l ORDER BY id), list(s ORDER BY id) FROM n

SELECT l, count(*) FROM n GROUP BY l ORDER BY l

SELECT s, count(*) FROM n GROUP BY s

SELECT max(l), min(s) FROM n

SELECT * FROM n WHERE l = [1, 2]

SELECT * FROM n WHERE s = {'a': 1, 'b': 'x'}

SELECT DISTINCT m FROM n

SELECT l || [9], list_concat(l, l), list_contains(l, 2), list_position(l, 5) FROM n ORDER BY id

SELECT list_sort([3, 1, NULL, 2]), list_reverse_sort([3, 1, 2]), list_distinct([1, 1, 2]), list_unique([1, 1, 2])

SELECT list_slice([1, 2, 3, 4], 2, 3), ([1, 2, 3, 4])[2:], ([1, 2, 3, 4])[:2], ([1, 2, 3, 4])[-2:]

SELECT list_sum([1, 2]), list_avg([1, 2]), list_min([2, 1]), list_max([2, 1]), list_any_value([NULL, 3]), list_count([1, NULL])

SELECT flatten([[1], [2, 3], NULL, []]), list_zip([1, 2], ['a', 'b', 'c'])

SELECT list_aggregate([1, 2, 3], 'sum'), list_aggregate(['a', 'b'], 'string_agg', '-')

SELECT list_has_any([1, 2], [2, 3]), list_has_all([1, 2], [2]), list_intersect([1, 2], [2, 3])

SELECT array_value(1, 2, 3), array_value(1.5, 2)::DOUBLE[2], [1, 2, 3]::INTEGER[3]

SELECT array_distance([1, 2]::FLOAT[2], [4, 6]::FLOAT[2]), array_inner_product([1, 2]::FLOAT[2], [4, 6]::FLOAT[2])

SELECT [1, 2]::INTEGER[3]

SELECT struct_extract({'a': 1}, 'a'), struct_insert({'a': 1}, b := 2), struct_pack(a := 1, b := [1])

SELECT {'a': {'b': {'c': [1, {'d': 2}]}}}

SELECT ({'a': {'b': 5}}).a.b

SELECT map([1, 2], ['a', 'b']), map_keys(MAP {'x': 1}), map_values(MAP {'x': 1}), map_entries(MAP {'x': 1})

SELECT MAP {1: 'a', 1: 'b'}

SELECT MAP {NULL: 1}

SELECT map_concat(MAP {'a': 1}, MAP {'a': 2, 'b': 3}), map_extract(MAP {'a': 1}, 'z')

SELECT element_at(MAP {'a': 1}, 'a'), map_contains(MAP {'a': 1}, 'a')

SELECT union_value(num := 1), union_tag(union_value(s := 'x')), union_extract(union_value(num := 5), 'num')

SELECT [1, NULL]::VARCHAR[], ['1', '2']::INTEGER[], [['1'], NULL]::INTEGER[][]

SELECT {'a': '1'}::STRUCT(a INTEGER), {'a': 1, 'b': 2}::STRUCT(b INTEGER, a INTEGER)

SELECT '[1, 2]'::INTEGER[], '{"a": 1}'::STRUCT(a INTEGER), '{a=1}'::MAP(VARCHAR, INTEGER)

SELECT ['x']::INTEGER[]

SELECT [DATE '2024-01-01', NULL], [TIMESTAMP '2024-01-01 01:02:03.5'], [TIME '12:00']

SELECT [1.5::DECIMAL(10, 3), 2], [1::HUGEINT], ['12345678-1234-5678-1234-567812345678'::UUID], ['\x00a'::BLOB], [true], [INTERVAL 1 DAY]

SELECT {'d': DATE '2024-01-01', 'u': '12345678-1234-5678-1234-567812345678'::UUID, 'h': 5::HUGEINT, 'b': 'x'::BLOB, 'i': INTERVAL 5 MONTH}

SELECT MAP {DATE '2024-01-01': 1.5::DECIMAL(4, 2)}, MAP {[1]: {'a': 2}}

SELECT ['a'::ENUM ('a', 'b')], {'e': 'b'::ENUM ('a', 'b')}

SELECT '{"a": 1, "b": [1, 2, null], "c": {"d": "x"}}'::JSON

SELECT j->'a', j->>'a', j->'$.b[1]', j->>'$.c.d', j['c'] FROM (SELECT '{"a": 1, "b": [1, 2, null], "c": {"d": "x"}}'::JSON AS j)

SELECT json_extract('{"a": [1, 2]}', '$.a[*]'), json_extract_string('{"a": "x"}', 'a'), json_array_length('[1, 2]'), json_type('{"a": 1}'), json_keys('{"a": 1, "b": 2}')

SELECT json_object('a', 1, 'b', [1, 2]), json_array(1, 'x', NULL), to_json({'a': 1}), json_merge_patch('{"a": 1}', '{"b": 2}')

SELECT json_valid('{'), json_valid('{}'), json_structure('{"a": [1, 2.5]}'), json_contains('{"a": 1}', '{"a": 1}')

SELECT from_json('{"a": 1, "b": [true]}', '{"a": "INTEGER", "b": ["BOOLEAN"]}')

SELECT json_group_array(id), json_group_object(id, len(l)) FROM (FROM n ORDER BY id)

SELECT '{bad'::JSON

SELECT * FROM json_each('{"a": 1, "b": [2]}')

SELECT key, type, atom FROM json_tree('[1, {"x": 2}]')

SELECT list_transform(l, lambda x: x * 2) FROM n ORDER BY id

SELECT list_filter(['a', 'bb'], lambda x, i: len(x) = i)

SELECT apply([1, 2], lambda x: x || 'z'), list_reduce(['a', 'b'], lambda x, y: x || y)

SELECT string_split('a,b,c', ','), str_split_regex('a1b2', '[0-9]'), array_to_string([1, 2], '-'), regexp_extract_all('a1b22', '[0-9]+')

SELECT regexp_extract('2024-05', '(\d+)-(\d+)', ['y', 'm'])

SELECT unnest([[1, 2], [3]]), unnest([[[1]]], max_depth := 2)

SELECT generate_subscripts([5, 6, 7], 1), unnest([5, 6, 7])

SELECT list_grade_up([30, 10, 20]), list_resize([1], 3, 0), list_where([1, 2, 3], [true, false, true]), list_select(['a', 'b', 'c'], [3, 1])

SELECT array_agg({'k': id, 'v': l} ORDER BY id) FROM n

SELECT s.nope FROM n

SELECT l.a FROM n

SELECT m.k FROM n

SELECT struct_extract({'a': 1}, 'b')

SELECT list_extract([1], 'x')
