-- What names a file at its source held the file's name, in which a card number may stand. Only its
-- digest is kept from here on; what was taken before is still known. sha256 is the program's own.
UPDATE seen_files SET key = sha256(key);
