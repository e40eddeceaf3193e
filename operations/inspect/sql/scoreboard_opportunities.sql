-- How many opportunities each department got, accepted and won; of those that are open nothing is known yet.
SELECT owner_department, to_char(sum(opened), 'FM999,999,999,990'), to_char(sum(accepted), 'FM999,999,999,990'),
       to_char(100.0 * sum(accepted) / sum(opened), 'FM990.0"%"'), to_char(sum(won), 'FM999,999,999,990'),
       to_char(100.0 * sum(won) / sum(opened), 'FM990.0"%"')
FROM tutti.rpt_opportunities
GROUP BY owner_department
ORDER BY sum(opened) DESC, owner_department
