//! Processors of AMD (amdgpu) and Intel (i915, xe) as far as plain files tell: Documentation/gpu/amdgpu/thermal.rst and driver-misc.rst.

use crate::{
    host::host::Host,
    model::{hardware::Gpu, knob::Place, text::clean},
    sources::parse,
};

/// Readings between two looks at which cards there are.
const TURNS: u32 = 12;

/// The cards that were found.
#[derive(Default)]
pub struct Cards {
    turn: u32,
    all: Vec<Card>,
}

struct Card {
    card: Place,
    device: Place,
    /// Sensors of the same device.
    hwmon: Option<Place>,
    row: Gpu,
}

impl Cards {
    /// Those that tell something.
    pub fn read(&mut self, host: &dyn Host) -> Vec<Gpu> {
        if self.turn.is_multiple_of(TURNS) {
            let root = Place::sys("class/drm");
            let mut names = Vec::new();
            let _none_without_drm = host.list(&root, &mut names);
            // `card0-HDMI-A-1` is a connector.
            names.retain(|name| name.strip_prefix("card").is_some_and(|number| number.parse::<u32>().is_ok()));
            names.sort_unstable();
            self.all = names.iter().filter_map(|name| Card::find(host, root.join(name))).collect();
        }
        self.turn = self.turn.wrapping_add(1);
        self.all.iter().filter_map(|card| card.read(host)).collect()
    }
}

impl Card {
    fn find(host: &dyn Host, card: Place) -> Option<Card> {
        let device = card.join("device");
        let of = |file: &str| host.text(&device.join(file)).map(|text| text.trim().to_string());
        let vendor = match of("vendor").ok()?.as_str() {
            "0x1002" => "AMD",
            "0x8086" => "Intel",
            _ => return None,
        };
        let model = of("product_name").ok().filter(|name| !name.is_empty());
        let model = model.unwrap_or_else(|| format!("{vendor} {}", of("device").unwrap_or_default().trim_start_matches("0x")));
        let last = |path: String| path.rsplit('/').next().unwrap_or(&path).to_string();
        let id = host.link(&device).map_or_else(|_| last(card.path.clone()), last);
        let mut names = Vec::new();
        let _none_without_sensors = host.list(&device.join("hwmon"), &mut names);
        let hwmon = names.first().map(|name| device.join("hwmon").join(name));
        Some(Card { card, device, hwmon, row: Gpu { id: clean(&id, 32), name: clean(&model, 64), ..Gpu::default() } })
    }

    /// A card that tells neither work nor memory nor clock has no row.
    fn read(&self, host: &dyn Host) -> Option<Gpu> {
        let status = host.text(&self.device.join("power/runtime_status")).unwrap_or_default();
        if matches!(status.trim(), "suspended" | "suspending") {
            return Some(Gpu { asleep: true, ..self.row.clone() });
        }
        let number = |place: Place| parse::whole(&host.text(&place).ok()?);
        let sensor = |file: &str| number(self.hwmon.as_ref()?.join(file));
        let of = |file: &str| number(self.device.join(file));
        let row = Gpu {
            busy: of("gpu_busy_percent").map(|percent| percent as f64 / 100.0),
            memory: of("mem_info_vram_used").zip(of("mem_info_vram_total")),
            temperature: sensor("temp1_input").map(|milli| milli as f64 / 1e3),
            power: sensor("power1_average").or_else(|| sensor("power1_input")).map(|micro| micro as f64 / 1e6),
            power_limit: sensor("power1_cap").map(|micro| micro as f64 / 1e6),
            clock: sensor("freq1_input").or_else(|| number(self.card.join("gt_act_freq_mhz")).map(|mega| mega * 1_000_000)),
            ..self.row.clone()
        };
        (row.busy.is_some() || row.memory.is_some() || row.clock.is_some()).then_some(row)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    #[test]
    fn amd_tells_all_and_intel_its_clock_and_a_virtual_card_nothing() {
        let host = RecordedHost::default();
        let put = |path: &str, content: &str| host.put(&format!("/sys/class/drm/{path}"), content);
        for (file, content) in [
            ("vendor", "0x1002\n"),
            ("device", "0x73bf\n"),
            ("gpu_busy_percent", "37\n"),
            ("mem_info_vram_used", "1073741824\n"),
            ("mem_info_vram_total", "17163091968\n"),
            ("hwmon/hwmon4/temp1_input", "61000\n"),
            ("hwmon/hwmon4/power1_average", "203000000\n"),
            ("hwmon/hwmon4/freq1_input", "2200000000\n"),
        ] {
            put(&format!("card0/device/{file}"), content);
        }
        put("card0-HDMI-A-1/status", "connected\n");
        put("card1/device/vendor", "0x8086\n");
        put("card1/device/device", "0x9a49\n");
        put("card1/gt_act_freq_mhz", "350\n");
        put("card2/device/vendor", "0x1234\n");
        put("card3/device/vendor", "0x8086\n");
        let mut cards = Cards::default();
        let all = cards.read(&host);
        assert_eq!(
            all.iter().map(|gpu| (&*gpu.id, &*gpu.name)).collect::<Vec<_>>(),
            [("card0", "AMD 73bf"), ("card1", "Intel 9a49")]
        );
        assert_eq!((all[0].busy, all[0].memory), (Some(0.37), Some((1 << 30, 17_163_091_968))));
        assert_eq!((all[0].temperature, all[0].power, all[0].clock), (Some(61.0), Some(203.0), Some(2_200_000_000)));
        assert_eq!((all[1].busy, all[1].clock), (None, Some(350_000_000)));
        put("card0/device/power/runtime_status", "suspended\n");
        assert!(cards.read(&host)[0].asleep, "not woken");
    }
}
