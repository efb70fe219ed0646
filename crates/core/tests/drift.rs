//! Generated files equal what the code says. `SHOPBELL_WRITE=1 cargo test -p shopbell-core --test drift` renews them.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path};

fn read_folder(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "ts"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn typescript_matches_the_table() {
    let scratch = tempfile::tempdir().unwrap();
    let config = ts_rs::Config::new()
        .with_large_int("number")
        .with_out_dir(scratch.path());
    <shopbell_core::api::UseCases as ts_rs::TS>::export_all(&config).unwrap();
    <shopbell_core::api::ApiError as ts_rs::TS>::export_all(&config).unwrap();
    <shopbell_core::api::types::Change as ts_rs::TS>::export_all(&config).unwrap();
    let files = read_folder(scratch.path());
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/gen");
    if std::env::var_os("SHOPBELL_WRITE").is_some() {
        let _ = fs::remove_dir_all(&target);
        fs::create_dir_all(&target).unwrap();
        for (name, text) in &files {
            fs::write(target.join(name), text).unwrap();
        }
    }
    let found = read_folder(&target);
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>(),
        "ui/src/gen has other files"
    );
    for (name, text) in files {
        assert_eq!(text, found[&name], "ui/src/gen/{name} is out of date");
    }
}
