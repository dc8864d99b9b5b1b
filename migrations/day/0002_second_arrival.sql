-- When an entry came by its second path: arrival minus filed time, null while it came by one only. A
-- flag of 32 says that the drop came first; without it the first arrival was over WiFi where both came.
ALTER TABLE entries ADD COLUMN second_delay INTEGER;
