//! `/proc/net/{snmp,netstat,sockstat}` of a network namespace (Documentation/networking/snmp_counter.rst).

use crate::{model::sample::TcpSample, sources::parse};

/// Fills in what `snmp` says; false without its TCP lines.
pub fn take_snmp(sample: &mut TcpSample, text: &str) -> bool {
    let mut seen = false;
    for (name, value) in parse::paired(text, "Tcp:") {
        let field = match name {
            "RetransSegs" => &mut sample.retrans_segs,
            "OutSegs" => &mut sample.out_segs,
            "InSegs" => &mut sample.in_segs,
            "InErrs" => &mut sample.in_errs,
            "OutRsts" => &mut sample.out_rsts,
            "ActiveOpens" => &mut sample.active_opens,
            "PassiveOpens" => &mut sample.passive_opens,
            "AttemptFails" => &mut sample.attempt_fails,
            "CurrEstab" => &mut sample.established,
            _ => continue,
        };
        *field = value.parse().unwrap_or(0);
        seen = true;
    }
    seen
}

/// Fills in what `netstat` says; false without its extended lines.
pub fn take_netstat(sample: &mut TcpSample, text: &str) -> bool {
    let mut seen = false;
    for (name, value) in parse::paired(text, "TcpExt:") {
        let field = match name {
            "ListenOverflows" => &mut sample.listen_overflows,
            "ListenDrops" => &mut sample.listen_drops,
            "TCPTimeouts" => &mut sample.tcp_timeouts,
            "TCPSynRetrans" => &mut sample.syn_retrans,
            _ => continue,
        };
        *field = value.parse().unwrap_or(0);
        seen = true;
    }
    seen
}

/// Fills in what `sockstat` says.
pub fn take_sockstat(sample: &mut TcpSample, text: &str) {
    let tcp = text.lines().find_map(|line| line.strip_prefix("TCP:")).unwrap_or("");
    let mut fields = tcp.split_ascii_whitespace();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        if name == "tw" {
            sample.time_wait = value.parse().unwrap_or(0);
        }
    }
}

/// `net.ipv4.ip_local_port_range`: two numbers.
pub fn parse_range(text: &str) -> Option<(u16, u16)> {
    let mut fields = text.split_ascii_whitespace();
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_found_by_name_in_any_order() {
        let mut sample = TcpSample::default();
        assert!(take_snmp(&mut sample, "Ip: X\nIp: 1\nTcp: MaxConn CurrEstab OutSegs RetransSegs\nTcp: -1 3 400 5\n"));
        assert!(take_netstat(&mut sample, "TcpExt: ListenDrops ListenOverflows TCPTimeouts\nTcpExt: 9 8 7\nIpExt: A\nIpExt: 1\n"));
        take_sockstat(&mut sample, "sockets: used 17\nTCP: inuse 1 orphan 0 tw 12 alloc 1 mem 275\nUDP: inuse 0\n");
        assert_eq!((sample.established, sample.out_segs, sample.retrans_segs), (3, 400, 5));
        assert_eq!((sample.listen_drops, sample.listen_overflows, sample.tcp_timeouts, sample.time_wait), (9, 8, 7, 12));
    }

    #[test]
    fn files_cut_short_are_told() {
        assert!(!take_snmp(&mut TcpSample::default(), "Tcp: OutSegs\n"));
        assert!(!take_netstat(&mut TcpSample::default(), "IpExt: A\nIpExt: 1\n"));
        assert_eq!(parse_range("32768\t60999\n"), Some((32768, 60999)));
        assert_eq!(parse_range("70000 1"), None);
    }
}
