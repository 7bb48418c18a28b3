//! The members of the workspace, as `cargo metadata` tells them.

use serde_json::Value;

use crate::process::{cargo, output};

/// One crate of ours.
pub(crate) struct Package {
    /// Its name, as in `cargo check -p NAME`.
    pub(crate) name: String,
    /// Its features, in alphabetical order.
    pub(crate) features: Vec<String>,
    /// The crates from a registry that it names, for whatever purpose.
    pub(crate) dependencies: Vec<String>,
}

/// Asks cargo for the members of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>, String> {
    let text = output(&mut cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(list(&metadata["packages"]).map(package).collect())
}

fn package(value: &Value) -> Package {
    let features = value["features"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    let dependencies =
        list(&value["dependencies"]).filter(|it| it["source"].is_string()).map(|it| text(&it["name"]));
    Package { name: text(&value["name"]), features, dependencies: dependencies.collect() }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crates_from_a_registry_count_as_dependencies() {
        let value = serde_json::json!({
            "name": "ours", "features": {"ws": [], "default": ["ws"]},
            "dependencies": [{"name": "bytes", "source": "registry+…"}, {"name": "trunkline-core", "source": null}],
        });
        let package = package(&value);
        assert_eq!(package.name, "ours");
        assert_eq!(package.features, ["default", "ws"]);
        assert_eq!(package.dependencies, ["bytes"]);
    }
}
