//! Which format a scraper wants (RFC 9110, 12.5.1).

use crate::model::message::Exposition;

/// The format for an `Accept` header: OpenMetrics for those that ask for it and do not like the older one better.
pub fn wanted(accept: &str) -> Exposition {
    let (mut open, mut text) = (0.0_f64, 0.0_f64);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let q = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse::<f64>().unwrap_or(0.0));
        match kind.as_str() {
            "application/openmetrics-text" => open = open.max(q),
            "text/plain" => text = text.max(q),
            _ => {}
        }
    }
    if open > 0.0 && open >= text { Exposition::OpenMetrics } else { Exposition::Text }
}

/// What a format is called in `Content-Type`.
pub fn content_type(format: Exposition) -> &'static str {
    match format {
        Exposition::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        Exposition::Text => "text/plain; version=0.0.4; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_is_liked_best() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, format) in [
            (prometheus, Exposition::OpenMetrics),
            ("", Exposition::Text),
            ("*/*", Exposition::Text),
            ("text/html, application/xhtml+xml", Exposition::Text),
            ("application/openmetrics-text;q=0.2, text/plain", Exposition::Text),
            ("application/openmetrics-text;q=0", Exposition::Text),
            ("Application/OpenMetrics-Text ; q=0.5", Exposition::OpenMetrics),
        ] {
            assert_eq!(wanted(accept), format, "{accept}");
        }
    }
}
