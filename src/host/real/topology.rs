//! Which processors sit together: NUMA nodes (Documentation/ABI/stable/sysfs-devices-node), or sockets
//! (Documentation/admin-guide/cputopology.rst). One read per node or socket, not per processor: facts are read at every start.

use crate::{
    host::{canonical::parse_cpus, host::Host},
    model::{facts::CpuGroup, knob::Place},
};

/// The highest processor number that is believed.
const MOST: u32 = 8191;

/// The numbers of the NUMA nodes, ascending; a kernel built without NUMA has none.
pub(super) fn nodes(host: &dyn Host) -> Vec<u32> {
    let mut names = Vec::new();
    let _none_without_numa = host.list(&Place::sys("devices/system/node"), &mut names);
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.strip_prefix("node")?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

/// Groups of processors, if there are at least two: by node, or by socket.
pub(super) fn groups(host: &dyn Host, nodes: &[u32]) -> Vec<CpuGroup> {
    let by_node = nodes.iter().filter_map(|node| {
        let cpus = list(host, format!("devices/system/node/node{node}/cpulist"))?;
        Some(CpuGroup { name: format!("node {node}").into(), cpus })
    });
    let by_node: Vec<CpuGroup> = by_node.collect();
    if by_node.len() > 1 {
        return by_node;
    }
    let by_socket = sockets(host);
    if by_socket.len() > 1 { by_socket } else { Vec::new() }
}

/// Each socket through its first processor.
fn sockets(host: &dyn Host) -> Vec<CpuGroup> {
    let mut left = list(host, "devices/system/cpu/online".into()).unwrap_or_default();
    let mut found: Vec<CpuGroup> = Vec::new();
    while let Some(first) = left.first().copied() {
        let topology = format!("devices/system/cpu/cpu{first}/topology");
        // Kernels before 5.3 know the list by its old name.
        let Some(cpus) =
            ["package_cpus_list", "core_siblings_list"].iter().find_map(|file| list(host, format!("{topology}/{file}")))
        else {
            return Vec::new();
        };
        left.retain(|cpu| *cpu != first && !cpus.contains(cpu));
        found.push(CpuGroup { name: format!("socket {}", found.len()).into(), cpus });
    }
    found
}

/// A list of processors in a file, if it names any.
fn list(host: &dyn Host, path: String) -> Option<Vec<u32>> {
    parse_cpus(&host.text(&Place::sys(path)).ok()?, MOST).filter(|cpus| !cpus.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    fn found(files: &[(&str, &str)]) -> Vec<(String, Vec<u32>)> {
        let host = RecordedHost::default();
        for (path, content) in files {
            host.put(&format!("/sys/devices/system/{path}"), content);
        }
        groups(&host, &nodes(&host)).into_iter().map(|group| (group.name.to_string(), group.cpus)).collect()
    }

    #[test]
    fn nodes_group_and_a_node_of_memory_alone_has_no_processors() {
        let all = found(&[
            ("node/node1/cpulist", "1,3\n"),
            ("node/node0/cpulist", "0,2\n"),
            ("node/node2/cpulist", "\n"),
            ("node/possible", "0-2"),
        ]);
        assert_eq!(all, [("node 0".into(), vec![0, 2]), ("node 1".into(), vec![1, 3])]);
    }

    #[test]
    fn sockets_group_where_there_is_one_node() {
        let all = found(&[
            ("node/node0/cpulist", "0-3\n"),
            ("cpu/online", "0-3\n"),
            ("cpu/cpu0/topology/package_cpus_list", "0,2\n"),
            ("cpu/cpu1/topology/core_siblings_list", "1,3\n"),
        ]);
        assert_eq!(all, [("socket 0".into(), vec![0, 2]), ("socket 1".into(), vec![1, 3])]);
    }

    #[test]
    fn one_of_each_is_no_group() {
        assert!(found(&[("cpu/online", "0-1\n"), ("cpu/cpu0/topology/package_cpus_list", "0-1\n")]).is_empty());
        assert!(found(&[("cpu/online", "0-1\n")]).is_empty(), "a kernel that does not tell");
    }
}
