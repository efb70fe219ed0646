//! How a figure is printed and judged.

use serde_json::{Value, json};
use std::time::Duration;

/// Which rows are wanted, and how much data they use.
pub struct Rows {
    only: Option<String>,
    pub quick: bool,
}

/// What the bar is held against.
#[derive(Clone, Copy)]
pub enum On {
    Ratio,
    Value,
}

/// One bar: `<=` or `>=` a figure.
#[derive(Clone, Copy)]
pub enum Bar {
    AtMost(f64, On),
    AtLeast(f64, On),
    /// Stated, without a bar.
    None,
}

impl Rows {
    pub fn new(only: Option<String>, quick: bool) -> Self {
        Self { only, quick }
    }

    /// Is a row whose name starts like this wanted?
    pub fn wants(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| name.starts_with(only.as_str()) || only.starts_with(name))
    }

    /// Prints one row.
    pub fn say(&self, name: &str, value: f64, unit: &str, baseline: Option<f64>, bar: Bar) {
        let ratio = baseline.map(|baseline| value / baseline);
        let (text, on, holds) = match bar {
            Bar::AtMost(limit, on) => (
                format!("<= {limit}"),
                on,
                judged(on, value, ratio).map(|it| it <= limit),
            ),
            Bar::AtLeast(limit, on) => (
                format!(">= {limit}"),
                on,
                judged(on, value, ratio).map(|it| it >= limit),
            ),
            Bar::None => ("none".into(), On::Value, None),
        };
        let on = match on {
            On::Ratio => "ratio",
            On::Value => "value",
        };
        let mut row = json!({
            "issue": 2, "name": name, "value": rounded(value), "unit": unit,
            "baseline": baseline.map(rounded), "ratio": ratio.map(rounded), "bar": text, "on": on, "holds": holds,
        });
        if self.quick {
            row["quick"] = Value::Bool(true);
        }
        println!("{row}");
    }
}

fn judged(on: On, value: f64, ratio: Option<f64>) -> Option<f64> {
    match on {
        On::Ratio => ratio,
        On::Value => Some(value),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The `share`-quantile of some times, in ms.
pub fn quantile_ms(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let at = ((times.len() as f64 - 1.0) * share).round() as usize;
    times[at].as_secs_f64() * 1000.0
}
