//! Names of containers, from where their runtimes keep them; by id, remembered. Without rights to read there, the short id must do.
//!
//! | runtime | file |
//! |---|---|
//! | Docker | `/var/lib/docker/containers/ID/config.v2.json` |
//! | Podman | `/var/lib/containers/storage/overlay-containers/{,volatile-}containers.json` |
//! | containerd | `/run/containerd/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json` (OCI annotations) |
//! | CRI-O | `/var/lib/containers/storage/overlay-containers/ID/userdata/config.json` (OCI annotations) |
//!
//! Rootless ones keep theirs below `~/.local/share` of their user. Kubernetes' containers are called `namespace/pod/container`.

use super::container::{Container, Runtime, container};
use crate::{
    host::host::Host,
    model::{knob::Place, text::clean},
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// Characters of a name at most.
const MOST: usize = 128;

/// Namespaces of containerd that are looked at: Kubernetes', nerdctl's and ctr's, Docker's.
const NAMESPACES: [&str; 3] = ["k8s.io", "default", "moby"];

/// Names that were found, by id.
#[derive(Default)]
pub struct Names {
    known: HashMap<String, Arc<str>>,
}

impl Names {
    /// The name of the container whose own group this path is.
    pub fn name(&mut self, host: &dyn Host, path: &str) -> Option<Arc<str>> {
        let container = container(path)?;
        if let Some(known) = self.known.get(&*container.id) {
            return Some(known.clone());
        }
        let found = ask(host, &container).map(|name| clean(name.trim_start_matches('/'), MOST)).filter(|name| !name.is_empty());
        // One that is just being made has no name yet: it is asked for again at the next walk.
        let Some(found) = found else { return Some(clean(container.fallback(), MOST)) };
        self.known.insert(container.id.into_owned(), found.clone());
        Some(found)
    }

    /// Forgets all containers but these groups'.
    pub fn keep<'a>(&mut self, paths: impl Iterator<Item = &'a str>) {
        if self.known.is_empty() {
            return;
        }
        let living: std::collections::HashSet<String> = paths.filter_map(|path| Some(container(path)?.id.into_owned())).collect();
        self.known.retain(|id, _| living.contains(id));
    }
}

/// What the runtime calls it.
fn ask(host: &dyn Host, container: &Container) -> Option<String> {
    let id = &*container.id;
    // A rootless runtime keeps the same tree in its user's home.
    let home = match container.uid {
        Some(uid) => format!("{}/.local/share", home(host, uid)?),
        None => "/var/lib".into(),
    };
    let storage = format!("{home}/containers/storage/overlay-containers");
    match container.runtime {
        Runtime::Docker => docker(&json(host, &format!("{home}/docker/containers/{id}/config.v2.json"))?),
        Runtime::Podman => ["containers.json", "volatile-containers.json"]
            .iter()
            .find_map(|file| podman(&json(host, &format!("{storage}/{file}"))?, id)),
        Runtime::Crio => annotated(&json(host, &format!("{storage}/{id}/userdata/config.json"))?),
        Runtime::Containerd => NAMESPACES.iter().find_map(|namespace| {
            let root = "/run/containerd/io.containerd.runtime.v2.task";
            annotated(&json(host, &format!("{root}/{namespace}/{id}/config.json"))?)
        }),
        Runtime::Lxc | Runtime::Machine => Some(id.to_string()),
        Runtime::Unknown => None,
    }
}

fn json(host: &dyn Host, path: &str) -> Option<Value> {
    let mut bytes = Vec::new();
    host.read(&Place::top(path), &mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The home directory of a user in `/etc/passwd` (passwd(5)).
fn home(host: &dyn Host, uid: u32) -> Option<String> {
    let text = host.text(&Place::etc("passwd")).ok()?;
    let uid = uid.to_string();
    text.lines().find_map(|line| {
        let mut fields = line.split(':').skip(2);
        (fields.next()? == uid).then_some(())?;
        fields.nth(2).map(str::to_string)
    })
}

fn docker(config: &Value) -> Option<String> {
    let labels = config.get("Config").and_then(|config| config.get("Labels"));
    labels.and_then(pod).or_else(|| Some(config.get("Name")?.as_str()?.to_string()))
}

fn podman(all: &Value, id: &str) -> Option<String> {
    let own = all.as_array()?.iter().find(|container| container.get("id").and_then(Value::as_str) == Some(id))?;
    Some(own.get("names")?.get(0)?.as_str()?.to_string())
}

/// The name in the annotations of an OCI bundle.
fn annotated(config: &Value) -> Option<String> {
    let annotations = config.get("annotations")?;
    pod(annotations).or_else(|| Some(annotations.get("nerdctl/name")?.as_str()?.to_string()))
}

/// `namespace/pod/container` of Kubernetes' labels or annotations; the container that holds a pod together has no name of its own.
fn pod(labels: &Value) -> Option<String> {
    let first = |keys: [&str; 2]| keys.iter().find_map(|key| labels.get(*key)?.as_str());
    let namespace = first(["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"])?;
    let pod = first(["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"])?;
    let name = first(["io.kubernetes.cri.container-name", "io.kubernetes.container.name"]).unwrap_or("pause");
    Some(format!("{namespace}/{pod}/{name}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn name(host: &RecordedHost, path: &str) -> Option<String> {
        Names::default().name(host, path).map(|name| name.to_string())
    }

    #[test]
    fn docker_and_podman_say_the_names_that_operators_gave() {
        let host = RecordedHost::default();
        let (docker, podman) = (format!("/docker/{ID}"), format!("/machine.slice/libpod-{ID}.scope"));
        assert_eq!(name(&host, &docker).as_deref(), Some("0123456789ab"), "nobody says more");
        host.put(
            &format!("/var/lib/docker/containers/{ID}/config.v2.json"),
            r#"{"ID":"x","Name":"/web_1","Config":{"Labels":{}}}"#,
        );
        assert_eq!(name(&host, &docker).as_deref(), Some("web_1"));
        let all = format!(r#"[{{"id":"other","names":["a"]}},{{"id":"{ID}","names":["db"]}}]"#);
        host.put("/var/lib/containers/storage/overlay-containers/volatile-containers.json", &all);
        assert_eq!(name(&host, &podman).as_deref(), Some("db"));
        assert_eq!(name(&host, &format!("{podman}/container")), None);
    }

    #[test]
    fn rootless_containers_are_looked_up_at_their_users() {
        let host = RecordedHost::default();
        let path = format!("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope");
        assert_eq!(name(&host, &path).as_deref(), Some("0123456789ab"));
        host.put("/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n");
        let storage = "/home/ann/.local/share/containers/storage/overlay-containers/containers.json";
        host.put(storage, &format!(r#"[{{"id":"{ID}","names":["mine"]}}]"#));
        assert_eq!(name(&host, &path).as_deref(), Some("mine"));
    }

    #[test]
    fn kubernetes_containers_are_called_by_namespace_pod_and_container() {
        let host = RecordedHost::default();
        let bundle = format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json");
        host.put(
            &bundle,
            r#"{"annotations":{"io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-name":"web-0",
            "io.kubernetes.cri.container-name":"nginx"}}"#,
        );
        let path = format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope");
        assert_eq!(name(&host, &path).as_deref(), Some("shop/web-0/nginx"));
        host.put(&bundle, r#"{"annotations":{"nerdctl/name":"solo"}}"#);
        assert_eq!(name(&host, &path).as_deref(), Some("solo"));
        let bundle = format!("/var/lib/containers/storage/overlay-containers/{ID}/userdata/config.json");
        host.put(
            &bundle,
            r#"{"annotations":{"io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.name":"db-0","io.kubernetes.container.name":"pg"}}"#,
        );
        assert_eq!(name(&host, &format!("/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope")).as_deref(), Some("shop/db-0/pg"));
    }

    #[test]
    fn a_name_is_remembered_until_its_group_is_gone_and_cleaned_where_it_enters() {
        let host = RecordedHost::default();
        let (mut names, path) = (Names::default(), format!("/docker/{ID}"));
        let config = format!("/var/lib/docker/containers/{ID}/config.v2.json");
        host.put(&config, r#"{"Name":"/we\u001b[2Jb"}"#);
        assert_eq!(names.name(&host, &path).as_deref(), Some("we?[2Jb"));
        host.remove(&config);
        assert_eq!(names.name(&host, &path).as_deref(), Some("we?[2Jb"));
        names.keep(["/", &path].into_iter());
        assert_eq!(names.known.len(), 1);
        names.keep(["/"].into_iter());
        assert_eq!(names.known.len(), 0);
    }

    #[test]
    fn a_damaged_or_hostile_file_gives_no_name() {
        let host = RecordedHost::default();
        let config = format!("/var/lib/docker/containers/{ID}/config.v2.json");
        for content in ["", "{", "[]", r#"{"Name":7}"#, r#"{"Name":"/"}"#, "\u{0}\u{1}"] {
            host.put(&config, content);
            assert_eq!(name(&host, &format!("/docker/{ID}")).as_deref(), Some("0123456789ab"), "{content}");
        }
    }
}
