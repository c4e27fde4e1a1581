//! JSON Schema and CustomResourceDefinitions, generated from the types.
//!
//! Two forms of the same thing: JSON Schema for editors and linters, and CRDs for the tools that read those. `longshore schema`
//! writes them and a test proves that the committed files are fresh.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::{Controller, Release, ReleaseStatus, Service, ServiceStatus};

/// A kind that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One ECS service.
    Service,
    /// Which version of an image runs.
    Release,
    /// The operator's configuration.
    Controller,
}

impl Kind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Kind; 3] = [Kind::Service, Kind::Release, Kind::Controller];

    /// The kind as it is written in `kind:`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Service => "Service",
            Kind::Release => "Release",
            Kind::Controller => "Controller",
        }
    }

    /// The plural that names the CRD and its file.
    pub const fn plural(self) -> &'static str {
        match self {
            Kind::Service => "services",
            Kind::Release => "releases",
            Kind::Controller => "controllers",
        }
    }
}

/// The JSON Schema (draft 2020-12) of a whole object of this kind.
pub fn json_schema(kind: Kind) -> Value {
    let mut schema = whole(kind);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".into(), json!(kind.as_str()));
    }
    schema
}

/// The CustomResourceDefinition of this kind, with `status` as a subresource.
pub fn custom_resource_definition(kind: Kind) -> Value {
    let mut object = whole(kind);
    structural(&mut object);
    if let (Some(mut status), Some(properties)) =
        (status(kind), object.get_mut("properties").and_then(Value::as_object_mut))
    {
        structural(&mut status);
        properties.insert("status".into(), status);
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("metadata".into(), json!({ "type": "object" }));
        properties.insert("apiVersion".into(), json!({ "type": "string" }));
        properties.insert("kind".into(), json!({ "type": "string" }));
    }
    let plural = kind.plural();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.longshore.dev") },
        "spec": {
            "group": "longshore.dev",
            "scope": "Namespaced",
            "names": {
                "kind": kind.as_str(),
                "listKind": format!("{}List", kind.as_str()),
                "plural": plural,
                "singular": kind.as_str().to_lowercase(),
            },
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": object },
            }],
        },
    })
}

fn whole(kind: Kind) -> Value {
    match kind {
        Kind::Service => generate::<Service>(),
        Kind::Release => generate::<Release>(),
        Kind::Controller => generate::<Controller>(),
    }
}

fn status(kind: Kind) -> Option<Value> {
    match kind {
        Kind::Service => Some(generate::<ServiceStatus>()),
        Kind::Release => Some(generate::<ReleaseStatus>()),
        Kind::Controller => None,
    }
}

fn generate<T: schemars::JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Makes a schema structural, as CRDs demand: no `additionalProperties: false` beside `properties`, `nullable` instead of a
/// list of types, no keywords that Kubernetes does not know.
fn structural(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        if *schema == Value::Bool(true) {
            *schema = json!({ "x-kubernetes-preserve-unknown-fields": true });
        }
        return;
    };
    for keyword in ["title", "examples", "$schema"] {
        object.remove(keyword);
    }
    if object.get("additionalProperties") == Some(&Value::Bool(false)) {
        object.remove("additionalProperties");
    }
    if object.get("additionalProperties") == Some(&Value::Bool(true)) {
        object.remove("additionalProperties");
        object.insert("x-kubernetes-preserve-unknown-fields".into(), Value::Bool(true));
    }
    if let Some(types) = object.get("type").and_then(Value::as_array).cloned() {
        if let Some(first) = types.iter().find(|name| *name != "null") {
            object.insert("type".into(), first.clone());
        }
        if types.iter().any(|name| name == "null") {
            object.insert("nullable".into(), Value::Bool(true));
        }
    }
    replace_null_alternative(object);
    replace_constants(object);
    // Known values of an open enumeration, or a short and a long form: structural schemas have no word for either.
    object.remove("anyOf");
    if !object.contains_key("type") {
        object.insert("x-kubernetes-preserve-unknown-fields".into(), Value::Bool(true));
    }
    for (keyword, child) in object.iter_mut() {
        match keyword.as_str() {
            "properties" => {
                if let Some(children) = child.as_object_mut() {
                    children.values_mut().for_each(structural);
                }
            }
            "items" | "additionalProperties" => structural(child),
            _ => {}
        }
    }
}

/// `anyOf: [X, null]` becomes X with `nullable: true`.
fn replace_null_alternative(object: &mut serde_json::Map<String, Value>) {
    let Some(alternatives) = object.get("anyOf").and_then(Value::as_array) else { return };
    let (nulls, others): (Vec<&Value>, Vec<&Value>) =
        alternatives.iter().partition(|schema| schema.get("type") == Some(&json!("null")));
    let [only] = others.as_slice() else { return };
    if nulls.is_empty() {
        return;
    }
    let only = (*only).clone();
    object.remove("anyOf");
    if let Value::Object(members) = only {
        for (keyword, value) in members {
            object.entry(keyword).or_insert(value);
        }
    }
    object.insert("nullable".into(), Value::Bool(true));
}

/// `oneOf: [{const: A, description}, …]`, which is how documented enumerations come out, becomes `enum`.
fn replace_constants(object: &mut serde_json::Map<String, Value>) {
    let Some(alternatives) = object.get("oneOf").and_then(Value::as_array) else { return };
    let constants: Option<Vec<Value>> =
        alternatives.iter().map(|schema| schema.get("const").cloned()).collect();
    if let Some(constants) = constants {
        object.remove("oneOf");
        object.insert("type".into(), json!("string"));
        object.insert("enum".into(), Value::Array(constants));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(
        schema: &Value,
        path: &str,
        visit: &mut impl FnMut(&str, &serde_json::Map<String, Value>),
    ) {
        let Some(object) = schema.as_object() else { return };
        visit(path, object);
        if let Some(properties) = object.get("properties").and_then(Value::as_object) {
            for (name, child) in properties {
                walk(child, &format!("{path}.{name}"), visit);
            }
        }
        for keyword in ["items", "additionalProperties"] {
            if let Some(child) = object.get(keyword) {
                walk(child, &format!("{path}[]"), visit);
            }
        }
    }

    #[test]
    fn crds_are_structural() {
        for kind in Kind::ALL {
            let crd = custom_resource_definition(kind);
            let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            walk(schema, kind.as_str(), &mut |path, object| {
                for keyword in ["$ref", "$defs", "oneOf", "anyOf", "allOf", "const"] {
                    assert!(!object.contains_key(keyword), "{path} has {keyword}");
                }
                let typed = object.contains_key("type")
                    || object.contains_key("x-kubernetes-preserve-unknown-fields");
                assert!(typed, "{path} has no type: {object:?}");
            });
        }
    }

    #[test]
    fn every_member_is_described() {
        for kind in Kind::ALL {
            let schema = json_schema(kind);
            walk(&schema, kind.as_str(), &mut |path, object| {
                if path.contains('.') && !path.ends_with("[]") {
                    assert!(object.contains_key("description"), "{path} has no description");
                }
            });
        }
    }
}
