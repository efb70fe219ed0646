//! What operators copy from agrees with what the program reads: the example, the service, the container file, the documents.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, path::PathBuf};

use serde::{
    Deserialize,
    de::{self, Deserializer, Visitor},
    forward_to_deserialize_any,
};
use toml::{Table, Value};

use super::*;

fn file(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Asks a type for the names it reads.
struct Names(&'static [&'static str]);

#[derive(Debug)]
struct Asked;

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("asked")
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for &mut Names {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        self.0 = fields;
        Err(Asked)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn names<'de, T: Deserialize<'de>>() -> BTreeSet<String> {
    let mut names = Names(&[]);
    let _ = T::deserialize(&mut names);
    names.0.iter().map(|name| (*name).to_owned()).collect()
}

/// The example with all its commented options switched on.
fn everything() -> Table {
    let text = file("deploy/relay.example.toml");
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(option) if option.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => option,
        _ => line,
    });
    toml::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap()
}

fn keys(table: &Table) -> BTreeSet<String> {
    table.keys().cloned().collect()
}

fn inner<'a>(table: &'a Table, name: &str) -> &'a Table {
    table[name].as_table().unwrap()
}

#[test]
fn the_example_has_every_option_and_no_other() {
    let all = everything();
    assert_eq!(keys(&all), names::<Config>());
    assert_eq!(keys(inner(&all, "facebook")), names::<MetaApp>());
    assert_eq!(keys(inner(&all, "instagram")), names::<MetaApp>());
    assert_eq!(keys(inner(&all, "tls")), names::<Tls>());
    assert_eq!(keys(inner(&all, "limits")), names::<Limits>());
    assert_eq!(keys(inner(&all, "upstream")), names::<Upstreams>());
}

#[test]
fn the_example_starts_once_its_secrets_are_ones_own() {
    let example = file("deploy/relay.example.toml");
    let refused = Config::read(&example, |_| None).unwrap_err().to_string();
    assert!(refused.contains("CHANGE-ME"), "{refused}");
    let config = Config::read(&example.replace("CHANGE-ME", "0123"), |_| None).unwrap();
    assert!(config.trust_forwarded && config.tls.is_none());
    let all = toml::to_string(&everything()).unwrap();
    Config::read(&all.replace("CHANGE-ME", "0123"), |_| None).unwrap();
}

#[test]
fn what_the_example_calls_a_default_is_one() {
    let all: Config = everything().try_into().unwrap();
    let standard = Config::default();
    assert_eq!(all.limits, standard.limits);
    assert_eq!(all.graph_version, standard.graph_version);
    assert_eq!(all.retention_days, standard.retention_days);
    let bases = |config: &Config| format!("{:?}", config.upstream);
    assert_eq!(bases(&all), bases(&standard));
    assert_eq!(all.listen, standard.listen);
}

#[test]
fn every_option_of_the_example_is_explained() {
    let text = file("deploy/relay.example.toml");
    let lines: Vec<&str> = text.lines().collect();
    let explained = |at: usize| {
        let before = lines[..at].iter().rev();
        let mut before = before.skip_while(|line| !line.is_empty() && !line.starts_with("# "));
        before.next().is_some_and(|line| line.starts_with("# "))
    };
    for limit in Limits::NAMES {
        let at = lines
            .iter()
            .position(|line| line.starts_with(&format!("#{limit} =")))
            .unwrap();
        assert!(
            lines[at - 1].starts_with("# "),
            "{limit} has no reason of its own"
        );
        assert!(explained(at));
    }
}

/// Variables as the files for operators name them.
fn variables(text: &str) -> BTreeSet<String> {
    const PREFIX: &str = "SHOPBELL_RELAY_";
    text.match_indices(PREFIX)
        .map(|(at, _)| {
            let rest = &text[at + PREFIX.len()..];
            let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_');
            rest[..end.unwrap_or(rest.len())].to_owned()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_variable_that_is_written_about_is_read() {
    let known: BTreeSet<String> = crate::config_env::names().collect();
    for path in [
        "deploy/Containerfile",
        "deploy/shopbell-relay.service",
        "deploy/relay.example.toml",
        "docs/relay.md",
        "docs/relay-setup.md",
        "README.md",
    ] {
        for name in variables(&file(path)) {
            assert!(
                name == "LOG" || known.contains(&name),
                "{path} names SHOPBELL_RELAY_{name}"
            );
        }
    }
}

#[test]
fn every_option_can_be_a_variable() {
    let all = everything();
    for (option, value) in &all {
        let options: Vec<String> = match value {
            Value::Table(table) => table.keys().map(|key| format!("{option}.{key}")).collect(),
            _ => vec![option.clone()],
        };
        for option in options {
            let name = option.replace("limits.", "LIMIT_").replace('.', "_");
            let name = name.to_ascii_uppercase();
            assert!(
                crate::config_env::names().any(|known| known == name),
                "{option} has no variable {name}"
            );
        }
    }
}
