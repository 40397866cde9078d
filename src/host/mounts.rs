//! Mounts in the text of `/proc/self/mountinfo` (Documentation/filesystems/proc.rst, 3.5): the options of one, and its mount point as it
//! is.

/// Undoes `\040` and its kind.
pub fn plain(field: &str) -> String {
    if !field.contains('\\') {
        return field.into();
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match code.filter(|_| first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Number of the device and options of what is mounted there now: of several the last, which hides the others.
pub(crate) fn options<'a>(mountinfo: &'a str, at: &str) -> Option<((u32, u32), &'a str)> {
    let line = mountinfo.lines().rev().find(|line| is_at(line, at))?;
    let mut fields = line.split(' ').skip(2);
    let (major, minor) = fields.next()?.split_once(':')?;
    Some(((major.parse().ok()?, minor.parse().ok()?), fields.nth(2)?))
}

fn is_at(line: &str, at: &str) -> bool {
    line.split(' ').nth(4).is_some_and(|field| plain(field) == at)
}

/// The text with other options of what is mounted there.
pub(crate) fn with_options(mountinfo: &str, at: &str, options: &str) -> String {
    let hit = mountinfo.lines().enumerate().filter(|(_, line)| is_at(line, at)).last().map(|(number, _)| number);
    let line = |(number, line): (usize, &str)| {
        let mut fields: Vec<&str> = line.split(' ').collect();
        if let Some(field) = fields.get_mut(5).filter(|_| hit == Some(number)) {
            *field = options;
        }
        fields.join(" ") + "\n"
    };
    mountinfo.lines().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "43 27 7:0 / /mnt/my\\040disk rw,relatime - ext4 /dev/loop0 rw\n\
                        44 43 8:1 / /mnt/my\\040disk rw,nosuid,relatime shared:1 - ext4 /dev/sda1 rw\n";

    #[test]
    fn the_last_mount_at_a_point_is_the_one_that_is_seen() {
        assert_eq!(options(TEXT, "/mnt/my disk"), Some(((8, 1), "rw,nosuid,relatime")));
        assert_eq!(options(TEXT, "/mnt"), None);
        let changed = with_options(TEXT, "/mnt/my disk", "rw,nosuid,noatime");
        assert_eq!(options(&changed, "/mnt/my disk"), Some(((8, 1), "rw,nosuid,noatime")));
        assert_eq!(changed.lines().next(), TEXT.lines().next());
        assert_eq!(with_options(&changed, "/mnt/my disk", "rw,nosuid,relatime"), TEXT);
    }
}
