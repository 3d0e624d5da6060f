-- Why a person began this journal, empty for a gate's first: collectors begin
-- a new epoch only for a reason.
ALTER TABLE origin ADD COLUMN reason TEXT NOT NULL DEFAULT '';
