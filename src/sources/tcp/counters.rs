//! `/proc/net/{snmp,snmp6,netstat,sockstat}` of a network namespace (Documentation/networking/snmp_counter.rst).

use crate::{
    model::sample::{TcpSample, UdpSample},
    sources::parse,
};

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
            "EstabResets" => &mut sample.estab_resets,
            _ => continue,
        };
        *field = value.parse().unwrap_or(0);
        seen = true;
    }
    sample.udp = UdpSample::default();
    for (name, value) in parse::paired(text, "Udp:") {
        add_udp(&mut sample.udp, name, value.parse().unwrap_or(0));
    }
    seen
}

/// Adds what `snmp6` says of UDP to what [`take_snmp`] has taken.
pub fn take_snmp6(sample: &mut TcpSample, text: &str) {
    for (name, value) in parse::keyed(text).filter_map(|(key, value)| Some((key.strip_prefix("Udp6")?, value))) {
        add_udp(&mut sample.udp, name, value);
    }
}

fn add_udp(udp: &mut UdpSample, name: &str, value: u64) {
    let field = match name {
        "InDatagrams" => &mut udp.in_datagrams,
        "OutDatagrams" => &mut udp.out_datagrams,
        "InErrors" => &mut udp.in_errors,
        "RcvbufErrors" => &mut udp.rcvbuf_errors,
        "SndbufErrors" => &mut udp.sndbuf_errors,
        _ => return,
    };
    *field = field.saturating_add(value);
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
            "TCPReqQFullDrop" => &mut sample.syn_drops,
            "SyncookiesSent" => &mut sample.strained.syncookies_sent,
            "SyncookiesRecv" => &mut sample.strained.syncookies_recv,
            "PruneCalled" => &mut sample.strained.prune_called,
            "TCPRcvQDrop" => &mut sample.strained.rcvq_drop,
            "TCPMemoryPressures" => &mut sample.strained.memory_pressures,
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
        match name {
            "tw" => sample.time_wait = value.parse().unwrap_or(0),
            "orphan" => sample.orphans = value.parse().unwrap_or(0),
            "mem" => sample.pages = value.parse().unwrap_or(0),
            _ => {}
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
        assert_eq!(sample.pages, 275);
        take_netstat(&mut sample, "TcpExt: SyncookiesRecv PruneCalled SyncookiesSent TCPRcvQDrop\nTcpExt: 1 2 3 4\n");
        let strained = sample.strained;
        assert_eq!((strained.syncookies_sent, strained.syncookies_recv), (3, 1));
        assert_eq!((strained.prune_called, strained.rcvq_drop), (2, 4));
    }

    #[test]
    fn datagrams_of_both_families_are_added_once() {
        let (mut sample, snmp) =
            (TcpSample::default(), "Tcp: OutSegs EstabResets\nTcp: 1 6\nUdp: InDatagrams RcvbufErrors\nUdp: 10 2\n");
        for _ in 0..2 {
            take_snmp(&mut sample, snmp);
            take_snmp6(&mut sample, "Ip6InReceives 5\nUdp6InDatagrams \t 30\nUdp6SndbufErrors 1\nUdpLite6InDatagrams 9\n");
        }
        let udp = UdpSample { in_datagrams: 40, rcvbuf_errors: 2, sndbuf_errors: 1, ..UdpSample::default() };
        assert_eq!((sample.udp, sample.estab_resets), (udp, 6));
    }

    #[test]
    fn files_cut_short_are_told() {
        assert!(!take_snmp(&mut TcpSample::default(), "Tcp: OutSegs\n"));
        assert!(!take_netstat(&mut TcpSample::default(), "IpExt: A\nIpExt: 1\n"));
        assert_eq!(parse_range("32768\t60999\n"), Some((32768, 60999)));
        assert_eq!(parse_range("70000 1"), None);
    }
}
