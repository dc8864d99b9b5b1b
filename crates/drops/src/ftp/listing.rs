//! What an FTP server says is in a folder: `MLSD` (exact), or `LIST` as Unix and Windows print it.

use jiff::Timestamp;
use suppaftp::list::ListParser;

use crate::folder::Listed;

/// The entries of a listing. Lines that are none (`total 12`) or that cannot be read are left out.
pub(super) fn parse(text: &str, is_mlsd: bool) -> Vec<Listed> {
    text.lines()
        .filter_map(|line| entry(line, is_mlsd))
        .collect()
}

fn entry(line: &str, is_mlsd: bool) -> Option<Listed> {
    let file = if is_mlsd {
        ListParser::parse_mlsd(line).ok()?
    } else {
        ListParser::parse_posix(line)
            .or_else(|_| ListParser::parse_dos(line))
            .ok()?
    };
    let modified = Timestamp::try_from(file.modified()).ok();
    Some(Listed {
        name: file.name().to_owned(),
        size_bytes: file.size() as u64,
        stamp: modified.map_or(0, Timestamp::as_second).to_string(),
        is_exact: is_mlsd,
        modified,
        is_file: file.is_file(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_kinds_of_listing_are_read() {
        let unix = "total 8\r\n-rw-r--r--    1 1000  1000  900 Nov 05 2018 VM 001.txt\r\n\
                    drwxr-xr-x 2 a b 4096 Nov 05 2018 done\r\n\
                    lrwxrwxrwx 1 a b 9 Nov 05 2018 link -> /etc/pass\r\n";
        let read = parse(unix, false);
        let names: Vec<_> = read.iter().map(|f| (f.name.as_str(), f.is_file)).collect();
        assert_eq!(
            names,
            [("VM 001.txt", true), ("done", false), ("link", false)]
        );
        assert_eq!((read[0].size_bytes, read[0].is_exact), (900, false));

        let windows = parse("04-08-14  03:09PM  403   readme.txt\r\n", false);
        assert_eq!(
            (windows[0].name.as_str(), windows[0].size_bytes),
            ("readme.txt", 403)
        );

        let exact = "type=cdir;modify=20261105163248; .\r\n\
                     type=file;size=8192;modify=20261105163248.123; a; b.txt\r\n\
                     type=OS.unix=slink:;size=1; link\r\n";
        let read = parse(exact, true);
        let file = read.iter().find(|f| f.is_file).expect("a file");
        assert_eq!((file.name.as_str(), file.is_exact), ("a; b.txt", true));
        assert_eq!(file.stamp, "1793896368");
    }
}
