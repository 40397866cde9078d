//! The shell command that a human could type for a write: shown with every plan, and all there is when undo is stuck.

use crate::model::{
    document::NONE,
    knob::{Knob, Root},
    systemd::UNSET,
};

/// The command that gives `knob` that `value`; safe to paste.
pub fn command(knob: &Knob, value: &str) -> String {
    match knob {
        Knob::File(_) | Knob::ProcessFile { .. } | Knob::CgroupFile { .. } | Knob::NetworkFile { through: None, .. } => {
            format!("echo {} | sudo tee {}", quote(value), quote(&knob.to_string()))
        }
        Knob::CgroupDevice { directory, file, device: (major, minor), .. } => {
            let line = quote(&format!("{major}:{minor} {value}"));
            format!("echo {line} | sudo tee {}", quote(&directory.join(file).to_string()))
        }
        Knob::Mount { at, .. } => {
            // A mount without a word about access times writes them all.
            let times = if value.contains("atime") { "" } else { ",strictatime" };
            format!("sudo mount -o {} {}", quote(&format!("remount,bind,{value}{times}")), quote(at))
        }
        Knob::NetworkFile { through: Some(process), file, .. } => {
            let path = quote(&format!("{}/sys/net/{file}", Root::Proc.usual()));
            format!("echo {} | sudo nsenter -t {} -n tee {path}", quote(value), process.pid)
        }
        Knob::Nice(t) => format!("sudo renice -n {} -p {}", quote(value), t.tid),
        Knob::Policy(t) => {
            let (policy, reset) = match value.strip_suffix("+reset") {
                Some(policy) => (policy, "--reset-on-fork "),
                None => (value, ""),
            };
            format!("sudo chrt {reset}{} -p 0 {}", quote(&format!("--{policy}")), t.tid)
        }
        Knob::Affinity(t) => format!("sudo taskset -cp {} {}", quote(value), t.tid),
        Knob::IoPriority(t) => format!("sudo ionice {} -p {}", io_class(value), t.tid),
        Knob::Descriptors(p) => format!("sudo prlimit --nofile={} --pid {}", quote(value), p.pid),
        Knob::Custom(program) => {
            let words: Vec<String> = program.to(value).iter().map(|word| quote(word)).collect();
            if words.is_empty() { "# there is no program for that".into() } else { format!("sudo {}", words.join(" ")) }
        }
        Knob::Signal(p) => format!("sudo kill -{} {}", quote(value), p.pid),
        Knob::Run(p) => format!("sudo kill -{} {}", if value == "stopped" { "STOP" } else { "CONT" }, p.pid),
        Knob::Log(place) => format!("sudo journalctl --directory={} --vacuum-size={}", quote(&place.to_string()), quote(value)),
        // Only its holder can set it, and it ends with its holder.
        Knob::WakeLatency { holder } if value == "none" => format!("sudo kill {}", holder.pid),
        Knob::WakeLatency { .. } => {
            let number = value.parse::<i32>().unwrap_or(0).to_le_bytes().map(|byte| format!("\\x{byte:02x}")).concat();
            format!("sudo sh -c 'exec 3>/dev/cpu_dma_latency; printf \"{number}\" >&3; exec sleep infinity'")
        }
        Knob::Backlog { process, .. } => format!("sudo kill -HUP {}", process.pid),
        Knob::UnitProperty { unit, property, .. } if value.starts_with(UNSET) => {
            let [kept, transient] = property.drop_ins(unit).map(|place| quote(&place.to_string()));
            format!("sudo rm -f -- {kept} {transient} && sudo systemctl daemon-reload")
        }
        Knob::UnitProperty { unit, property, .. } => {
            format!("sudo systemctl set-property --runtime -- {} {}", quote(unit), quote(&format!("{}={value}", property.name())))
        }
        Knob::Document(place) if value == NONE => format!("sudo rm -f -- {}", quote(&place.to_string())),
        Knob::Document(place) => format!("printf '%b' {} | sudo tee {}", escaped(value), quote(&place.to_string())),
    }
}

/// Lines as one word for `printf %b`.
fn escaped(text: &str) -> String {
    quote(&text.replace('\\', "\\\\").replace('\n', "\\n"))
}

fn io_class(value: &str) -> String {
    let (class, level) = value.split_once(' ').unwrap_or((value, ""));
    match class {
        "realtime" => format!("-c 1 -n {}", quote(level)),
        "best-effort" => format!("-c 2 -n {}", quote(level)),
        "idle" => "-c 3".into(),
        _ => "-c 0".into(),
    }
}

/// `text` as one word of a POSIX shell.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:,+=@".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        knob::{Place, Task},
        subject::ProcessId,
        systemd::Property,
    };

    #[test]
    fn commands_are_what_an_operator_would_type() {
        let process = ProcessId { pid: 7, start: 1 };
        let task = Task { process, tid: 8, start: 2 };
        let hostile = Knob::CgroupFile { directory: Place::sys("fs/cgroup/a b;rm '"), inode: 1, file: "cpu.max".into() };
        let (unit, directory) = (r"a\x2db.service".to_string(), Place::sys("fs/cgroup/a"));
        let weight = Knob::UnitProperty { unit, directory, property: Property::CpuWeight };
        let document = Knob::Document(Place::etc("sysctl.d/x.conf"));
        let cases = [
            (Knob::File(Place::proc("sys/vm/swappiness")), "20", "echo 20 | sudo tee /proc/sys/vm/swappiness"),
            (hostile, "100 200", r"echo '100 200' | sudo tee '/sys/fs/cgroup/a b;rm '\''/cpu.max'"),
            (
                Knob::NetworkFile { netns: 3, through: Some(process), file: "core/somaxconn".into() },
                "4096",
                "echo 4096 | sudo nsenter -t 7 -n tee /proc/sys/net/core/somaxconn",
            ),
            (
                Knob::CgroupDevice { directory: Place::sys("fs/cgroup/a"), inode: 1, file: "io.max".into(), device: (8, 0) },
                "rbps=5 wbps=max",
                "echo '8:0 rbps=5 wbps=max' | sudo tee /sys/fs/cgroup/a/io.max",
            ),
            (Knob::Mount { at: "/data".into(), number: (8, 1) }, "rw,noatime", "sudo mount -o remount,bind,rw,noatime /data"),
            (Knob::Mount { at: "/data".into(), number: (8, 1) }, "rw", "sudo mount -o remount,bind,rw,strictatime /data"),
            (Knob::Nice(task), "-5", "sudo renice -n -5 -p 8"),
            (Knob::Policy(task), "batch+reset", "sudo chrt --reset-on-fork --batch -p 0 8"),
            (Knob::Affinity(task), "0-3,6", "sudo taskset -cp 0-3,6 8"),
            (Knob::IoPriority(task), "best-effort 7", "sudo ionice -c 2 -n 7 -p 8"),
            (Knob::IoPriority(task), "none", "sudo ionice -c 0 -p 8"),
            (Knob::Descriptors(process), "64:unlimited", "sudo prlimit --nofile=64:unlimited --pid 7"),
            (
                Knob::WakeLatency { holder: process },
                "10",
                r#"sudo sh -c 'exec 3>/dev/cpu_dma_latency; printf "\x0a\x00\x00\x00" >&3; exec sleep infinity'"#,
            ),
            (Knob::WakeLatency { holder: process }, "none", "sudo kill 7"),
            (Knob::Backlog { process, netns: 3, port: 80 }, "4096", "sudo kill -HUP 7"),
            (weight.clone(), "20", r"sudo systemctl set-property --runtime -- 'a\x2db.service' CPUWeight=20"),
            (
                weight,
                "unset 100",
                r"sudo rm -f -- '/run/systemd/system.control/a\x2db.service.d/50-CPUWeight.conf' '/run/systemd/transient/a\x2db.service.d/50-CPUWeight.conf' && sudo systemctl daemon-reload",
            ),
            (document.clone(), "# a\nb = 1\n", r"printf '%b' '# a\nb = 1\n' | sudo tee /etc/sysctl.d/x.conf"),
            (document, "none", "sudo rm -f -- /etc/sysctl.d/x.conf"),
        ];
        for (knob, value, text) in cases {
            assert_eq!(command(&knob, value), text);
        }
    }
}
