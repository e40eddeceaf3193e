-- The goals whose paths are followed.
SELECT DISTINCT goal_id FROM tutti.rpt_path_steps
