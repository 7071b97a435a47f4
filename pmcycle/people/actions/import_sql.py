"""The statements that carry an import out: a number of them that does not grow with its lines."""

from __future__ import annotations

# `l` are the lines of this run that create or change somebody; `says` what such a line sets a field
# to. Every statement takes the run, the day from which the file holds and the person who applies it.
LINES = """
WITH l AS (
  SELECT number AS line, fate, key, values AS v, changes AS c, fate = 'created' AS is_new
  FROM people_importline WHERE run_id = %(run)s AND fate IN ('created', 'changed') AND number <= %(upto)s
)
"""

WRITE_PEOPLE: tuple[str, ...] = (
    # Rows written in this transaction are unknown to the planner until it is told; with a hundred
    # thousand of them it would choose plans fit for ten.
    "ANALYZE people_importline",
    # Units that nobody knows yet stand under the top; the path needs the id, so it comes second.
    """
    INSERT INTO people_unit (name, parent_id, path, version)
    SELECT DISTINCT ON (lower(v->>'unit')) v->>'unit', %(root)s, '', 1 FROM l
    WHERE coalesce(v->>'unit', '') <> ''
      AND NOT EXISTS (SELECT FROM people_unit u WHERE lower(u.name) = lower(l.v->>'unit'))
    ORDER BY lower(v->>'unit'), line
    """,
    "UPDATE people_unit SET path = %(root_path)s || id || '/' WHERE path = '' AND parent_id = %(root)s",
    """
    INSERT INTO people_employee (number, name, sort_name, email, job_title, job_family, grade, unit_id, location,
      employment_kind, hired_on, left_on, fte, zone, locale, version, created_at)
    SELECT v->>'number', v->>'name', v->>'sort_name', coalesce(v->>'email', ''), coalesce(v->>'job_title', ''),
      coalesce(v->>'job_family', ''), coalesce(v->>'grade', ''), u.id, coalesce(v->>'location', ''), 'regular',
      (v->>'hired_on')::date, nullif(v->>'left_on', '')::date, coalesce((v->>'fte')::numeric, 1), '', '', 1, now()
    FROM l LEFT JOIN (SELECT DISTINCT ON (lower(name)) id, lower(name) AS said FROM people_unit
      ORDER BY lower(name), length(path), id) u ON u.said = lower(v->>'unit')
    WHERE is_new ORDER BY line
    """,
    "ANALYZE people_employee",
    """
    UPDATE people_employee e SET
      name = coalesce(c->'name'->>1, e.name),
      sort_name = CASE WHEN c ? 'name' THEN v->>'sort_name' ELSE e.sort_name END,
      email = coalesce(c->'email'->>1, e.email),
      job_title = coalesce(c->'job_title'->>1, e.job_title),
      job_family = coalesce(c->'job_family'->>1, e.job_family),
      grade = coalesce(c->'grade'->>1, e.grade),
      location = coalesce(c->'location'->>1, e.location),
      unit_id = CASE WHEN c ? 'unit' THEN (SELECT u.id FROM people_unit u
        WHERE lower(u.name) = lower(c->'unit'->>1) ORDER BY length(u.path), u.id LIMIT 1) ELSE e.unit_id END,
      hired_on = coalesce((c->'hired_on'->>1)::date, e.hired_on),
      left_on = CASE WHEN c ? 'left_on' THEN nullif(c->'left_on'->>1, '')::date ELSE e.left_on END,
      fte = coalesce((c->'fte'->>1)::numeric, e.fte),
      version = e.version + 1
    FROM l WHERE e.number = l.key AND NOT is_new
    """,
    """
    INSERT INTO people_formerperiod (employee_id, hired_on, left_on)
    SELECT e.id, split_part(p, '/', 1)::date, split_part(p, '/', 2)::date
    FROM l JOIN people_employee e ON e.number = l.key, unnest(string_to_array(v->>'former', ';')) p
    WHERE is_new OR c ? 'former'
    ON CONFLICT (employee_id, hired_on) DO NOTHING
    """,
    """
    INSERT INTO people_privateprofile (employee_id, born_on, sex, leave_reason)
    SELECT e.id, nullif(v->>'born_on', '')::date, coalesce(v->>'sex', ''), coalesce(v->>'leave_reason', '')
    FROM l JOIN people_employee e ON e.number = l.key
    WHERE is_new OR c ?| array['born_on', 'sex', 'leave_reason']
    ON CONFLICT (employee_id) DO UPDATE SET
      born_on = coalesce(excluded.born_on, people_privateprofile.born_on),
      sex = coalesce(nullif(excluded.sex, ''), people_privateprofile.sex),
      leave_reason = excluded.leave_reason
    """,
    """
    INSERT INTO people_salary (employee_id, amount, basis, annual, currency, fte, effective_from)
    SELECT e.id, (v->>'amount')::numeric, v->>'basis', (v->>'annual')::numeric, v->>'currency', e.fte,
      CASE WHEN is_new THEN e.hired_on ELSE greatest(%(as_of)s::date, e.hired_on) END
    FROM l JOIN people_employee e ON e.number = l.key
    WHERE coalesce(v->>'amount', '') <> '' AND (is_new OR c ? 'annual')
    ON CONFLICT (employee_id, effective_from) DO UPDATE SET amount = excluded.amount, basis = excluded.basis,
      annual = excluded.annual, currency = excluded.currency, fte = excluded.fte
    """,
    # A line that would begin only now, or after the person left, has never held.
    """
    DELETE FROM people_reportingline r USING l, people_employee e
    WHERE e.number = l.key AND NOT is_new AND r.employee_id = e.id AND r.kind = 'line'
      AND (c ? 'manager_number' AND r.starts_on >= %(as_of)s::date OR r.starts_on > e.left_on)
    """,
    """
    UPDATE people_reportingline r SET ends_on = CASE WHEN c ? 'manager_number'
      THEN least(%(as_of)s::date - 1, e.left_on) ELSE e.left_on END
    FROM l JOIN people_employee e ON e.number = l.key
    WHERE NOT is_new AND r.employee_id = e.id
      AND (c ? 'manager_number' AND r.kind = 'line' AND (r.ends_on IS NULL OR r.ends_on >= %(as_of)s::date)
        OR e.left_on IS NOT NULL AND (r.ends_on IS NULL OR r.ends_on > e.left_on))
    """,
    """
    INSERT INTO people_reportingline (employee_id, manager_id, kind, starts_on, ends_on)
    SELECT e.id, m.id, 'line', least(CASE WHEN is_new OR c ? 'former' THEN greatest(e.hired_on, m.hired_on)
      ELSE greatest(%(as_of)s::date, e.hired_on) END, e.left_on), e.left_on
    FROM l JOIN people_employee e ON e.number = l.key JOIN people_employee m ON m.number = v->>'manager_number'
    WHERE v ? 'manager_number' AND (is_new OR c ? 'manager_number')
    """,
    """
    INSERT INTO people_absence (employee_id, kind, is_paid, starts_on)
    SELECT e.id, 'leave', true, greatest(%(as_of)s::date, e.hired_on)
    FROM l JOIN people_employee e ON e.number = l.key
    WHERE is_new AND v->>'absent' = 'yes' OR c->'absent'->>1 = 'yes'
    """,
    """
    UPDATE people_absence a SET ends_on = greatest(a.starts_on, coalesce(e.left_on, %(as_of)s::date - 1))
    FROM l JOIN people_employee e ON e.number = l.key
    WHERE a.employee_id = e.id AND a.ends_on IS NULL AND NOT is_new
      AND (c->'absent'->>1 = '' OR c ? 'left_on' AND e.left_on IS NOT NULL)
    """,
    # The address with which somebody signs in is never a file's to change.
    """
    UPDATE people_user w SET name = e.name
    FROM l JOIN people_employee e ON e.number = l.key
    WHERE w.employee_id = e.id AND c ? 'name'
    """,
    # Who signed in before there was a record, like the first HR admins, is now known as an employee.
    """
    UPDATE people_user w SET employee_id = e.id FROM l JOIN people_employee e ON e.number = l.key
    WHERE w.employee_id IS NULL AND e.email <> '' AND lower(w.email) = lower(e.email) AND (is_new OR c ? 'email')
      AND NOT EXISTS (SELECT FROM people_user o WHERE o.employee_id = e.id)
    """,
    # One stream for the run, not one for each person: a stream is locked until the transaction ends,
    # and locks are few.
    """
    INSERT INTO activity_event (stream, seq, at, verb, actor_id, about_id, subject_kind, subject_id, data,
      request_id, previous_hash, hash)
    SELECT 'import:' || %(run)s, 0, now(),
      CASE WHEN is_new THEN 'imported_person' ELSE 'changed_by_import' END, %(by)s,
      e.id, 'people.employee', e.id, jsonb_build_object('import', %(run)s, 'line', line,
      'fields', (SELECT coalesce(jsonb_agg(k ORDER BY k), '[]') FROM jsonb_object_keys(c) k)), '', '', ''
    FROM l JOIN people_employee e ON e.number = l.key ORDER BY line
    """,
)

# One key a line: the judgement refuses a job that stands in the file twice.
WRITE_RANGES = """
INSERT INTO people_payrange (job_title, grade, minimum, midpoint, maximum, currency)
SELECT v->>'job_title', v->>'grade', (v->>'minimum')::numeric, (v->>'midpoint')::numeric, (v->>'maximum')::numeric,
  v->>'currency'
FROM l ORDER BY line
ON CONFLICT (lower(job_title), grade, currency) DO UPDATE SET minimum = excluded.minimum,
  midpoint = excluded.midpoint, maximum = excluded.maximum
"""
