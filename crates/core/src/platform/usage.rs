//! Usage headers of the Graph API (facts sheet §7) as figures. Pure.

use serde::Deserialize;
use std::collections::HashMap;

/// How much of a limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Usage {
    /// Highest of the three percentages.
    pub percent: u32,
    /// Meta's own estimate until access is regained; 0 = none.
    pub regain_minutes: u32,
}

/// What one answer told about limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reported {
    /// The app as a whole.
    pub app: Option<Usage>,
    /// Per Page or Instagram account.
    pub objects: Vec<(String, Usage)>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Figures {
    call_count: f64,
    total_cputime: f64,
    total_time: f64,
    estimated_time_to_regain_access: f64,
}

impl Figures {
    fn usage(&self) -> Usage {
        let highest = self
            .call_count
            .max(self.total_cputime)
            .max(self.total_time)
            .clamp(0.0, 1_000.0);
        let minutes = self
            .estimated_time_to_regain_access
            .clamp(0.0, 7.0 * 24.0 * 60.0);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped above"
        )]
        Usage {
            percent: highest as u32,
            regain_minutes: minutes as u32,
        }
    }
}

/// Most business objects read from one header; Meta documents up to 32.
const MAX_OBJECTS: usize = 64;

/// Reads the headers of one answer. What does not parse is left out: a limit header must never fail a call.
pub(super) fn read(headers: &reqwest::header::HeaderMap) -> Reported {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let single = |name: &str| {
        text(name)
            .and_then(|t| serde_json::from_str::<Figures>(t).ok())
            .map(|f| f.usage())
    };
    let mut objects = Vec::new();
    if let Some(map) = text("x-business-use-case-usage")
        .and_then(|t| serde_json::from_str::<HashMap<String, Vec<Figures>>>(t).ok())
    {
        for (id, list) in map.into_iter().take(MAX_OBJECTS) {
            let usage = list.iter().map(Figures::usage).fold(
                Usage {
                    percent: 0,
                    regain_minutes: 0,
                },
                |a, b| Usage {
                    percent: a.percent.max(b.percent),
                    regain_minutes: a.regain_minutes.max(b.regain_minutes),
                },
            );
            objects.push((id, usage));
        }
    }
    Reported {
        app: single("x-app-usage"),
        objects,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use reqwest::header::HeaderMap;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    reqwest::header::HeaderName::from_static(name),
                    value.parse().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn reads_both_headers_and_takes_the_highest_figure() {
        let told = read(&headers(&[
            (
                "x-app-usage",
                r#"{"call_count":28,"total_cputime":76,"total_time":25}"#,
            ),
            (
                "x-business-use-case-usage",
                r#"{"1001":[{"type":"pages","call_count":97,"total_cputime":23,"total_time":23,"estimated_time_to_regain_access":0},{"type":"messenger","call_count":3,"estimated_time_to_regain_access":12}]}"#,
            ),
        ]));
        assert_eq!(told.app.unwrap().percent, 76);
        assert_eq!(
            told.objects,
            vec![(
                "1001".to_owned(),
                Usage {
                    percent: 97,
                    regain_minutes: 12
                }
            )]
        );
    }

    #[test]
    fn hostile_headers_say_nothing() {
        for text in [
            "",
            "[]",
            "{",
            "null",
            r#"{"1":5}"#,
            r#"{"call_count":"many"}"#,
        ] {
            let told = read(&headers(&[
                ("x-app-usage", text),
                ("x-business-use-case-usage", text),
            ]));
            assert!(
                told.objects.is_empty() && told.app.is_none_or(|u| u.percent == 0),
                "{text}"
            );
        }
        let told = read(&headers(&[(
            "x-app-usage",
            r#"{"call_count":1e300,"estimated_time_to_regain_access":-4}"#,
        )]));
        assert_eq!(
            told.app.unwrap(),
            Usage {
                percent: 1000,
                regain_minutes: 0
            }
        );
    }
}
