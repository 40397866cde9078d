//! Interfaces: `/proc/net/dev`, `/sys/class/net/NAME` (Documentation/ABI/testing/sysfs-class-net), and the receive path of each cpu in `/proc/net/softnet_stat`
//! (Documentation/networking/scaling.rst; `softnet_seq_show` of net/core/net-procfs.c).

use crate::{
    host::{error::HostError, host::Host},
    model::{
        knob::Place,
        sample::{InterfaceKind, InterfaceSample, NeighbourTable, NetworkSample, ReceiveLimits, Sample, SourceName},
        text::clean,
        time::Tick,
    },
    sources::{
        kept::Kept,
        parse,
        source::{Lane, Source, SourceAbout},
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Seconds after which speed and state of a link are read again.
const TURN: f64 = 10.0;

/// The source.
pub struct Interfaces {
    dev: Kept,
    softnet: Kept,
    buffer: Vec<u8>,
    links: BTreeMap<Arc<str>, Link>,
    rest: Rest,
}

/// What changes slowly: limits of the receive path, tables of neighbours.
#[derive(Default)]
struct Rest {
    read: Option<Tick>,
    receive: Option<ReceiveLimits>,
    neighbours: Vec<NeighbourTable>,
}

/// What sysfs said of an interface.
#[derive(Clone)]
struct Link {
    read: Tick,
    speed: Option<u64>,
    up: bool,
    kind: InterfaceKind,
    mtu: u32,
    duplex: Option<Arc<str>>,
    carrier: Option<bool>,
}

impl Default for Interfaces {
    fn default() -> Self {
        Interfaces {
            dev: Kept::new(Place::proc("net/dev")),
            softnet: Kept::new(Place::proc("net/softnet_stat")),
            buffer: Vec::new(),
            links: BTreeMap::new(),
            rest: Rest::default(),
        }
    }
}

impl Source for Interfaces {
    fn about(&self) -> SourceAbout {
        SourceAbout {
            name: SourceName::Interfaces,
            lane: Lane::Sweep,
            deadline: Duration::from_millis(1500),
            reads: "/proc/net/{dev,softnet_stat,stat}, /proc/sys/net, /sys/class/net/NAME",
        }
    }

    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError> {
        self.dev.read(host, &mut self.buffer)?;
        let mut interfaces =
            parse_dev(&parse::text(&self.buffer)).ok_or_else(|| parse::malformed(self.dev.place(), "its heading"))?;
        let now = host.now().tick;
        self.links.retain(|name, _| interfaces.binary_search_by(|row| row.name.cmp(name)).is_ok());
        for row in &mut interfaces {
            let link = match self.links.get(&row.name) {
                Some(link) if now.seconds_since(link.read) < TURN => link.clone(),
                _ => {
                    let link = self.look(host, &row.name, now);
                    self.links.insert(row.name.clone(), link.clone());
                    link
                }
            };
            (row.speed, row.up, row.kind) = (link.speed, link.up, link.kind);
            (row.mtu, row.duplex, row.carrier) = (link.mtu, link.duplex, link.carrier);
        }
        let softnet = match self.softnet.read(host, &mut self.buffer) {
            Ok(()) => parse_softnet(&parse::text(&self.buffer)),
            Err(_) => Vec::new(),
        };
        if self.rest.read.is_none_or(|read| now.seconds_since(read) >= TURN) {
            self.rest = Rest { read: Some(now), receive: receive(host), neighbours: neighbours(host) };
        }
        let (receive, neighbours) = (self.rest.receive, self.rest.neighbours.clone());
        Ok(Sample::Interfaces(NetworkSample { interfaces, softnet, receive, neighbours }))
    }
}

impl Interfaces {
    fn look(&mut self, host: &dyn Host, name: &str, now: Tick) -> Link {
        let directory = Place::sys(format!("class/net/{name}"));
        // What it is does not change.
        let kind = self.links.get(name).map(|link| link.kind).unwrap_or_else(|| self.kind(host, &directory));
        // Megabits; -1 or a refusal (EINVAL) where there is no cable or no such thing.
        let speed = host.read(&directory.join("speed"), &mut self.buffer).ok();
        let speed = speed.and_then(|()| parse::whole(&parse::text(&self.buffer)));
        let state = host.read(&directory.join("operstate"), &mut self.buffer).ok();
        let up = state.is_none_or(|()| matches!(self.buffer.trim_ascii(), b"up" | b"unknown"));
        let mut word = |file: &str| {
            host.read(&directory.join(file), &mut self.buffer).ok()?;
            Some(clean(parse::text(&self.buffer).trim(), 16))
        };
        let mtu = word("mtu").and_then(|mtu| mtu.parse().ok()).unwrap_or(0);
        let duplex = word("duplex").filter(|duplex| matches!(&**duplex, "full" | "half"));
        let carrier = word("carrier").map(|carrier| &*carrier == "1");
        let speed = speed.filter(|megabits| *megabits > 0).map(|megabits| megabits.saturating_mul(1_000_000));
        Link { read: now, speed, up, kind, mtu, duplex, carrier }
    }

    /// By what its directory has, from the surest sign on.
    fn kind(&mut self, host: &dyn Host, directory: &Place) -> InterfaceKind {
        let mut read = |file: &str| {
            host.read(&directory.join(file), &mut self.buffer).ok()?;
            Some(parse::text(&self.buffer).trim().to_string())
        };
        let event = read("uevent").unwrap_or_default();
        let family = event.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).unwrap_or("");
        let (kind, own, peer) = (read("type"), read("ifindex"), read("iflink"));
        match (family, kind.as_deref()) {
            ("bridge", _) => InterfaceKind::Bridge,
            ("bond", _) => InterfaceKind::Bond,
            ("vlan" | "macvlan" | "ipvlan", _) => InterfaceKind::Vlan,
            ("vxlan" | "wireguard" | "geneve" | "gre", _) => InterfaceKind::Tunnel,
            // ARPHRD_LOOPBACK; then NONE, TUNNEL, TUNNEL6, SIT, IPGRE of include/uapi/linux/if_arp.h.
            (_, Some("772")) => InterfaceKind::Loopback,
            (_, Some("65534" | "768" | "769" | "776" | "778")) => InterfaceKind::Tunnel,
            _ if host.inode(&directory.join("device")).is_ok() => InterfaceKind::Physical,
            _ if host.inode(&directory.join("tun_flags")).is_ok() => InterfaceKind::Tunnel,
            // The other end of a pair has another number, mostly in another namespace.
            _ if peer.is_some() && peer != own => InterfaceKind::Veth,
            _ => InterfaceKind::Virtual,
        }
    }
}

/// Limits of the receive path: the whole host's, in its first namespace only.
fn receive(host: &dyn Host) -> Option<ReceiveLimits> {
    let number = |file: &str| parse::whole(&host.text(&Place::proc(format!("sys/net/core/{file}"))).ok()?);
    let micros = number("netdev_budget_usecs").unwrap_or(0);
    Some(ReceiveLimits { backlog: number("netdev_max_backlog")?, budget: number("netdev_budget")?, micros })
}

/// The tables of neighbours, IPv4 and IPv6: the whole host's as well.
fn neighbours(host: &dyn Host) -> Vec<NeighbourTable> {
    let table = |six: bool| {
        let (stat, family) = if six { ("ndisc_cache", "ipv6") } else { ("arp_cache", "ipv4") };
        let text = host.text(&Place::proc(format!("net/stat/{stat}"))).ok()?;
        let number = |n| parse::whole(&host.text(&Place::proc(format!("sys/net/{family}/neigh/default/gc_thresh{n}"))).ok()?);
        let (entries, fulls) = parse_neighbours(&text)?;
        Some(NeighbourTable { six, entries, fulls, thresholds: [number(1)?, number(2)?, number(3)?] })
    };
    [false, true].into_iter().filter_map(table).collect()
}

/// `/proc/net/stat/arp_cache`: a heading, then hexadecimal columns for each cpu. `entries` says the same in each line, `table_fulls`
/// (Linux 3.15) is counted by each cpu.
pub fn parse_neighbours(text: &str) -> Option<(u64, u64)> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next()?.split_ascii_whitespace().collect();
    let place = |name: &str| names.iter().position(|known| *known == name);
    let (entries, fulls) = (place("entries")?, place("table_fulls"));
    let of = |line: &str, column: usize| u64::from_str_radix(line.split_ascii_whitespace().nth(column)?, 16).ok();
    let mut found = None;
    for line in lines {
        let (_, sum) = found.unwrap_or((0, 0_u64));
        found = Some((of(line, entries)?, sum.saturating_add(fulls.and_then(|column| of(line, column)).unwrap_or(0))));
    }
    found
}

/// `/proc/net/dev`, sorted by name; `None` without its heading.
pub fn parse_dev(text: &str) -> Option<Vec<InterfaceSample>> {
    let mut lines = text.lines();
    lines.next().filter(|line| line.contains("Receive"))?;
    lines.next()?;
    let mut all: Vec<_> = lines.filter_map(row).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Some(all)
}

fn row(line: &str) -> Option<InterfaceSample> {
    // A name may hold a colon (an alias), numbers cannot.
    let (name, counters) = line.rsplit_once(':')?;
    let mut fields = counters.split_ascii_whitespace();
    if fields.clone().count() < 12 {
        return None;
    }
    let mut next = || parse::next(&mut fields);
    // bytes packets errs drop fifo frame compressed multicast, then the same of sending.
    let [bytes_in, packets_in, errors_in, drops_in, _, _, _, _] = std::array::from_fn(|_| next());
    let [bytes_out, packets_out, errors_out, drops_out] = std::array::from_fn(|_| next());
    Some(InterfaceSample {
        name: clean(name.trim(), 64),
        bytes: [bytes_in, bytes_out],
        packets: [packets_in, packets_out],
        errors: [errors_in, errors_out],
        drops: [drops_in, drops_out],
        speed: None,
        up: true,
        ..InterfaceSample::default()
    })
}

/// `/proc/net/softnet_stat`: hexadecimal columns, one line for each online cpu.
pub fn parse_softnet(text: &str) -> Vec<[u64; 3]> {
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let mut next = || u64::from_str_radix(fields.next()?, 16).ok();
        Some([next()?, next()?, next()?])
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    const DEV: &str = "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop|bytes\n  veth:1:    5 4 3 2 0 0 0 0 50 40 30 20 0 0 0 0\n\
                       eth0:76699861    4117    0    1    0     0          0         0   316854    2584    0    2    0     0       0          0\n";

    #[test]
    fn neighbours_are_counted_once_and_their_overflows_by_each_cpu() {
        let text = "entries  allocs   table_fulls\n000000ff 00000020 00000001\n000000ff 0000001d 00000002\n";
        assert_eq!(parse_neighbours(text), Some((255, 3)));
        assert_eq!(parse_neighbours("entries allocs\n0000000a 00000001\n"), Some((10, 0)), "kernels of old");
        assert_eq!(parse_neighbours("garbage\n1\n"), None);
        assert_eq!(parse_neighbours("entries\nzz\n"), None);
    }

    #[test]
    fn rows_are_sorted_and_names_may_hold_a_colon() {
        let all = parse_dev(DEV).unwrap();
        assert_eq!(all.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["eth0", "veth:1"]);
        assert_eq!((all[0].bytes, all[0].drops), ([76_699_861, 316_854], [1, 2]));
        assert_eq!((all[1].packets, all[1].errors), ([4, 40], [3, 30]));
        assert!(parse_dev("garbage").is_none());
    }

    #[test]
    fn the_receive_path_is_hexadecimal() {
        let text = "00000017 00000000 0000000a 0 0\n0000101b 00000001 00000000 0 0\nxyz 0 0\n";
        assert_eq!(parse_softnet(text), [[0x17, 0, 10], [0x101b, 1, 0]]);
    }

    #[test]
    fn speed_and_state_are_looked_at_in_turns() {
        let host = RecordedHost::default();
        host.put("/proc/net/dev", DEV);
        host.put("/sys/class/net/eth0/speed", "1000\n");
        host.put("/sys/class/net/eth0/operstate", "up\n");
        host.put("/sys/class/net/veth:1/speed", "-1\n");
        host.put("/sys/class/net/veth:1/operstate", "lowerlayerdown\n");
        let mut source = Interfaces::default();
        let mut read = || {
            let Sample::Interfaces(sample) = source.read(&host).unwrap() else { panic!() };
            sample.interfaces.iter().map(|row| (row.speed, row.up)).collect::<Vec<_>>()
        };
        assert_eq!(read(), [(Some(1_000_000_000), true), (None, false)]);
        host.put("/sys/class/net/eth0/operstate", "down\n");
        assert!(read()[0].1, "not yet looked at again");
        host.step(Duration::from_secs(10));
        assert!(!read()[0].1);
    }

    #[test]
    fn what_an_interface_is_shows_in_its_directory() {
        let host = RecordedHost::default();
        let lines: String = ["br0", "eth0", "lo", "veth1", "wg0", "dummy0"]
            .map(|name| format!("{name}: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"))
            .concat();
        host.put("/proc/net/dev", &format!("Inter-| Receive\n face\n{lines}"));
        let put = |name: &str, file: &str, text: &str| host.put(&format!("/sys/class/net/{name}/{file}"), text);
        for (name, kind, index, peer) in
            [("br0", 1, 5, 5), ("eth0", 1, 2, 2), ("lo", 772, 1, 1), ("veth1", 1, 7, 3), ("wg0", 65534, 8, 8)]
        {
            put(name, "type", &format!("{kind}\n"));
            put(name, "ifindex", &format!("{index}\n"));
            put(name, "iflink", &format!("{peer}\n"));
        }
        put("br0", "uevent", "DEVTYPE=bridge\nINTERFACE=br0\n");
        put("eth0", "device/vendor", "0x1\n");
        put("eth0", "duplex", "full\n");
        put("eth0", "carrier", "0\n");
        put("eth0", "mtu", "9000\n");
        let Sample::Interfaces(sample) = Interfaces::default().read(&host).unwrap() else { panic!() };
        use InterfaceKind::{Bridge, Loopback, Physical, Tunnel, Veth, Virtual};
        assert_eq!(
            sample.interfaces.iter().map(|row| row.kind).collect::<Vec<_>>(),
            [Bridge, Virtual, Physical, Loopback, Veth, Tunnel]
        );
        let eth0 = &sample.interfaces[2];
        assert_eq!((eth0.mtu, eth0.duplex.as_deref(), eth0.carrier), (9000, Some("full"), Some(false)));
    }
}
