//! What the path of a control group says: whose container it is, and which systemd unit. Pure.
//!
//! Runtimes name their groups by convention: Docker and Podman after the container's id, Kubernetes below a group of the pod, LXC, LXD and
//! Incus by the container's name, systemd-nspawn and libvirt as machines. With the systemd driver the last part is a scope
//! (`docker-ID.scope`), with the cgroupfs driver it is the bare id or name. v1, v2 and rootless trees differ only in what comes before it.

use std::borrow::Cow;

/// Who runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runtime {
    /// Docker, also below Kubernetes.
    Docker,
    /// Podman.
    Podman,
    /// containerd by itself, by nerdctl, or as Kubernetes' runtime.
    Containerd,
    /// CRI-O.
    Crio,
    /// LXC, LXD, Incus: groups have names.
    Lxc,
    /// Registered with systemd-machined: systemd-nspawn, libvirt.
    Machine,
    /// By an id alone one cannot tell.
    Unknown,
}

/// A container as its path tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container<'a> {
    /// Who runs it.
    pub runtime: Runtime,
    /// Its id, or its name where groups have names.
    pub id: Cow<'a, str>,
    /// Of a rootless one, its user.
    pub uid: Option<u32>,
}

/// Letters of an id that operators know it by.
const SHORT: usize = 12;

impl Container<'_> {
    /// What it is called when nobody says its name.
    pub fn fallback(&self) -> &str {
        match self.runtime {
            Runtime::Lxc | Runtime::Machine => &self.id,
            _ => self.id.get(..SHORT).unwrap_or(&self.id),
        }
    }
}

/// Scopes of the systemd driver: what comes before the id.
const SCOPES: [(&str, Runtime); 7] = [
    ("docker-", Runtime::Docker),
    ("libpod-", Runtime::Podman),
    ("cri-containerd-", Runtime::Containerd),
    ("nerdctl-", Runtime::Containerd),
    ("containerd-", Runtime::Containerd),
    ("crio-", Runtime::Crio),
    ("cri-o-", Runtime::Crio),
];

/// The container whose own group this path is. Groups inside of a container and those of its monitor are none.
pub fn container(path: &str) -> Option<Container<'_>> {
    let (above, last) = path.rsplit_once('/')?;
    let uid = rootless(above);
    let found = |runtime, id| Some(Container { runtime, id: Cow::Borrowed(id), uid });
    let parent = above.rsplit('/').next().unwrap_or("");
    let bare = last.strip_suffix(".scope").unwrap_or(last);
    for (prefix, runtime) in SCOPES {
        if let Some(id) = bare.strip_prefix(prefix).filter(|id| is_id(id)) {
            return found(runtime, id);
        }
    }
    if is_id(last) {
        return found(by_parent(above, parent), last);
    }
    if let Some(name) = lxc(above, parent, last) {
        return found(Runtime::Lxc, name);
    }
    let machine = last.strip_prefix("machine-").and_then(|rest| rest.strip_suffix(".scope"));
    let nspawn = last.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service"));
    match machine.or(nspawn) {
        Some(name) if parent == "machine.slice" => Some(Container { runtime: Runtime::Machine, id: unescape(name), uid }),
        _ => None,
    }
}

/// 64 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The runtime of a bare id, by the group that it is in.
fn by_parent(above: &str, parent: &str) -> Runtime {
    match parent {
        "docker" => Runtime::Docker,
        "libpod_parent" => Runtime::Podman,
        // nerdctl and ctr make a group per namespace of containerd.
        "default" | "k8s.io" | "moby" => Runtime::Containerd,
        _ if above.contains("/kubepods") => Runtime::Containerd,
        _ => Runtime::Unknown,
    }
}

/// `/lxc/NAME`, `/lxc.payload/NAME`, `/lxc.payload.NAME`; the group of its monitor is another.
fn lxc<'a>(above: &str, parent: &str, last: &'a str) -> Option<&'a str> {
    if let Some(name) = last.strip_prefix("lxc.payload.") {
        return Some(name);
    }
    let inside = matches!(parent, "lxc" | "lxc.payload") && !above.trim_end_matches(parent).contains("/lxc");
    (inside && !last.is_empty() && !last.ends_with(".slice")).then_some(last)
}

/// The user of `user-1000.slice` above a rootless container.
fn rootless(above: &str) -> Option<u32> {
    above.split('/').find_map(|part| part.strip_prefix("user-")?.strip_suffix(".slice")?.parse().ok())
}

/// Kinds of unit that have groups.
const UNITS: [&str; 6] = [".service", ".scope", ".slice", ".mount", ".socket", ".swap"];

/// The systemd unit whose group this path is, unescaped.
pub fn unit(path: &str) -> Option<Cow<'_, str>> {
    let last = path.rsplit('/').next()?;
    UNITS.iter().any(|kind| last.len() > kind.len() && last.ends_with(kind)).then(|| unescape(last))
}

/// Undoes systemd's `\x2d` (systemd-escape(1)).
fn unescape(name: &str) -> Cow<'_, str> {
    if !name.contains("\\x") {
        return Cow::Borrowed(name);
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = rest.strip_prefix(b"\\x").and_then(|digits| digits.get(..2));
        let code = hex.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let (byte, next) = code.map_or((first, after), |code| (code, rest.get(4..).unwrap_or_default()));
        bytes.push(byte);
        rest = next;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn the_path_of_each_runtime_and_driver_is_known() {
        let pod = "pod8f0c2b7e_1111_4222_8333_944455566677";
        let cases = [
            (format!("/docker/{ID}"), Runtime::Docker, None),
            (format!("/system.slice/docker-{ID}.scope"), Runtime::Docker, None),
            (format!("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ID}.scope"), Runtime::Docker, Some(1000)),
            (format!("/machine.slice/libpod-{ID}.scope"), Runtime::Podman, None),
            (format!("/user.slice/user-1001.slice/user@1001.service/user.slice/libpod-{ID}.scope"), Runtime::Podman, Some(1001)),
            (format!("/libpod_parent/libpod-{ID}"), Runtime::Podman, None),
            (format!("/machine.slice/machine-libpod_pod_{ID}.slice/libpod-{ID}.scope"), Runtime::Podman, None),
            (
                format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{pod}.slice/cri-containerd-{ID}.scope"),
                Runtime::Containerd,
                None,
            ),
            (
                format!("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-{pod}.slice/cri-containerd-{ID}.scope"),
                Runtime::Containerd,
                None,
            ),
            (format!("/kubepods/besteffort/{pod}/{ID}"), Runtime::Containerd, None),
            (format!("/kubepods.slice/kubepods-{pod}.slice/crio-{ID}.scope"), Runtime::Crio, None),
            (format!("/kubepods.slice/kubepods-{pod}.slice/docker-{ID}.scope"), Runtime::Docker, None),
            (format!("/system.slice/nerdctl-{ID}.scope"), Runtime::Containerd, None),
            (format!("/default/{ID}"), Runtime::Containerd, None),
            (format!("/ecs/task/{ID}"), Runtime::Unknown, None),
        ];
        for (path, runtime, uid) in cases {
            assert_eq!(container(&path), Some(Container { runtime, id: ID.into(), uid }), "{path}");
        }
        assert_eq!(container(&format!("/docker/{ID}")).unwrap().fallback(), "0123456789ab");
    }

    #[test]
    fn containers_that_have_names_are_called_by_them() {
        let cases = [
            ("/lxc/web", Runtime::Lxc, "web"),
            ("/lxc.payload/web", Runtime::Lxc, "web"),
            ("/lxc.payload.web-1", Runtime::Lxc, "web-1"),
            ("/machine.slice/machine-deb\\x2d12.scope", Runtime::Machine, "deb-12"),
            ("/machine.slice/systemd-nspawn@builder.service", Runtime::Machine, "builder"),
            ("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", Runtime::Machine, "qemu-1-vm"),
        ];
        for (path, runtime, name) in cases {
            let found = container(path).unwrap();
            assert_eq!((found.runtime, found.fallback()), (runtime, name), "{path}");
        }
    }

    #[test]
    fn what_is_inside_of_a_container_or_watches_one_is_none() {
        let none = [
            "/".to_string(),
            "/docker".into(),
            format!("/docker/{ID}/system.slice"),
            format!("/docker/{ID}/system.slice/cron.service"),
            format!("/machine.slice/libpod-{ID}.scope/container"),
            format!("/machine.slice/libpod-conmon-{ID}.scope"),
            format!("/kubepods.slice/crio-conmon-{ID}.scope"),
            "/lxc".into(),
            "/lxc/web/system.slice".into(),
            "/lxc.monitor.web".into(),
            "/system.slice/docker.service".into(),
            "/docker/0123456789abcdef".into(),
        ];
        for path in none {
            assert_eq!(container(&path), None, "{path}");
        }
    }

    #[test]
    fn units_are_unescaped() {
        assert_eq!(unit("/system.slice/dev-disk-by\\x2dlabel-data.mount").as_deref(), Some("dev-disk-by-label-data.mount"));
        assert_eq!(unit("/system.slice/nginx.service").as_deref(), Some("nginx.service"));
        assert_eq!(unit("/a\\xzz.service").as_deref(), Some("a\\xzz.service"));
        assert_eq!((unit("/batch"), unit("/"), unit("/.slice")), (None, None, None));
    }

    proptest! {
        #[test]
        fn no_path_makes_them_panic(path in "(/|lxc|docker-|machine-|\\.scope|\\\\x|[0-9a-f]{64}|\\PC){0,12}") {
            let _any = (container(&path), unit(&path));
        }
    }
}
