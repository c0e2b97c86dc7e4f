//! The configuration as a JSON Schema, for editors and for those who generate files.

use super::key::{Key, Kind, Literal, Repeated};
use super::node::{Node, Nodes, Value};
use serde_json::{Map, Value as Json, json};

/// The schema of a file in which `keys` may stand; `defaults` is what holds without one.
///
/// It describes one file: nothing is required at the top or in plain tables, since another file may give it.
pub(super) fn schema(keys: &[Key], defaults: &Nodes) -> Json {
    let mut schema = table(&keys.iter().collect::<Vec<_>>(), Some(defaults), false);
    let head = [
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("title", json!("Configuration of emcon")),
        ("description", json!("emcon.toml, and each file of conf.d beside it")),
    ];
    if let Json::Object(schema) = &mut schema {
        schema.extend(head.map(|(name, value)| (name.to_owned(), value)));
    }
    schema
}

fn table(keys: &[&Key], defaults: Option<&Nodes>, whole: bool) -> Json {
    let mut properties = Map::new();
    for key in keys {
        properties.insert(key.name.into(), property(key, defaults.and_then(|nodes| nodes.get(key.name))));
    }
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let required: Vec<_> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    if whole && !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &Key, node: Option<&Node>) -> Json {
    let mut schema = match key.kind {
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Words(words) => json!({ "type": "array", "items": { "enum": words }, "uniqueItems": true }),
        Kind::Text(max) => text(max),
        Kind::Texts(max) => {
            json!({ "type": "array", "items": text(super::fit::LISTED_MAX), "maxItems": max, "uniqueItems": true })
        }
        Kind::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Number(min, max) => json!({ "type": "number", "minimum": min, "maximum": max }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Address => json!({ "type": "string", "pattern": "^(\\[.+\\]|[0-9.]+):[0-9]{1,5}$" }),
        Kind::Path | Kind::SecretFile => json!({ "type": "string", "minLength": 1 }),
        Kind::Table(keys) => {
            let below = node.and_then(|node| match &node.value {
                Value::Table(below) => Some(below),
                _ => None,
            });
            table(&keys.iter().collect::<Vec<_>>(), below, false)
        }
        Kind::Tables(repeated) => tables(repeated),
    };
    schema["description"] = json!(key.says);
    let default = match key.kind {
        Kind::Table(_) | Kind::Tables(_) => None,
        _ => node.map(|node| plain(&node.value)).or_else(|| key.default.map(literal)),
    };
    if let Some(default) = default {
        schema["default"] = default;
    }
    schema
}

fn text(max: usize) -> Json {
    json!({ "type": "string", "minLength": 1, "maxLength": max })
}

fn tables(repeated: &Repeated) -> Json {
    let of_kind = |kind: &str| {
        let keys = repeated.keys_of(Some(kind)).unwrap_or_default();
        let mut schema = table(&keys, None, true);
        schema["properties"]["kind"] = json!({ "const": kind });
        let mut required = vec!["kind"];
        required.extend(keys.iter().filter(|key| key.required).map(|key| key.name));
        schema["required"] = json!(required);
        schema
    };
    let items = if repeated.kinds.is_empty() {
        table(&repeated.keys.iter().collect::<Vec<_>>(), None, true)
    } else {
        let all: Vec<Json> = repeated.kinds.iter().map(|(kind, _)| of_kind(kind)).collect();
        json!({ "oneOf": all })
    };
    json!({ "type": "array", "items": items, "maxItems": repeated.max })
}

pub(super) fn literal(literal: Literal) -> Json {
    match literal {
        Literal::Text(text) => json!(text),
        Literal::Integer(number) => json!(number),
        Literal::Number(number) => json!(number),
        Literal::Boolean(yes) => json!(yes),
    }
}

/// A value without its place.
pub(super) fn plain(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Number(number) => json!(number),
        Value::Boolean(yes) => json!(yes),
        Value::List(nodes) => nodes.iter().map(|node| plain(&node.value)).collect(),
        Value::Table(nodes) => {
            nodes.iter().map(|(name, node)| (name.clone(), plain(&node.value))).collect::<Map<_, _>>().into()
        }
        Value::Date | Value::Unfit => Json::Null,
    }
}
