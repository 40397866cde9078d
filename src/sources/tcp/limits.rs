//! Limits of a network namespace, from its files below `/proc/sys/net` (networking/ip-sysctl.rst, admin-guide/sysctl/net.rst).

use crate::{
    model::{sample::NetworkLimits, text::clean},
    sources::parse,
};

/// What `get` says of each file. Those of the whole host stand in the first namespace only: elsewhere they are absent.
pub fn read(get: &dyn Fn(&str) -> Option<String>) -> NetworkLimits {
    let number = |file: &str| parse::whole(&get(file)?);
    let triple = |file: &str| parse_triple(&get(file)?);
    let word = |file: &str| get(file).map(|text| clean(text.trim(), 32)).unwrap_or_default();
    let words = |file: &str| get(file).unwrap_or_default().split_ascii_whitespace().map(|word| clean(word, 32)).collect();
    NetworkLimits {
        syncookies: number("ipv4/tcp_syncookies"),
        max_syn_backlog: number("ipv4/tcp_max_syn_backlog"),
        tw_reuse: number("ipv4/tcp_tw_reuse"),
        slow_start_after_idle: number("ipv4/tcp_slow_start_after_idle"),
        fin_timeout: number("ipv4/tcp_fin_timeout"),
        rmem: triple("ipv4/tcp_rmem"),
        wmem: triple("ipv4/tcp_wmem"),
        rmem_max: number("core/rmem_max"),
        wmem_max: number("core/wmem_max"),
        congestion: word("ipv4/tcp_congestion_control"),
        congestions: words("ipv4/tcp_available_congestion_control"),
        mem: triple("ipv4/tcp_mem"),
        max_orphans: number("ipv4/tcp_max_orphans"),
    }
}

/// Three numbers.
pub fn parse_triple(text: &str) -> Option<[u64; 3]> {
    let mut fields = text.split_ascii_whitespace().map(str::parse);
    let triple = [fields.next()?.ok()?, fields.next()?.ok()?, fields.next()?.ok()?];
    fields.next().is_none().then_some(triple)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn what_a_namespace_does_not_have_is_none() {
        let get = |file: &str| {
            Some(match file {
                "ipv4/tcp_rmem" => "4096\t131072\t6291456\n".to_string(),
                "ipv4/tcp_syncookies" => "1\n".into(),
                "ipv4/tcp_congestion_control" => "cubic\n".into(),
                "ipv4/tcp_available_congestion_control" => "reno cubic\n".into(),
                _ => return None,
            })
        };
        let limits = read(&get);
        assert_eq!((limits.rmem, limits.wmem), (Some([4096, 131_072, 6_291_456]), None));
        assert_eq!((limits.syncookies, limits.max_orphans), (Some(1), None));
        assert_eq!((&*limits.congestion, limits.congestions.len()), ("cubic", 2));
    }

    #[test]
    fn only_whole_triples_count() {
        assert_eq!(parse_triple("1 2 3\n"), Some([1, 2, 3]));
        for wrong in ["1 2", "1 2 3 4", "1 2 -3", ""] {
            assert_eq!(parse_triple(wrong), None, "{wrong}");
        }
    }
}
