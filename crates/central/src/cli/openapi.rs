//! `openapi`: the description of the API, the same text from every build.

use anyhow::Result;
use serde_json::Value;

/// Prints it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn run() -> Result<()> {
    let mut description = serde_json::to_value(crate::router::description())?;
    sort(&mut description);
    println!("{}", serde_json::to_string_pretty(&description)?);
    Ok(())
}

/// Sorts the keys of every object. Whether `serde_json` keeps them as written hangs on a feature that
/// any crate of the same build may turn on, and the committed file is compared byte by byte.
fn sort(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = std::mem::take(object).into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (key, mut value) in entries {
                sort(&mut value);
                object.insert(key, value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_keys_stand_in_one_order_however_deep() {
        let mut value = json!({"b": [{"d": 1, "c": {"z": 1, "y": 2}}], "a": null});
        sort(&mut value);
        assert_eq!(
            value.to_string(),
            r#"{"a":null,"b":[{"c":{"y":2,"z":1},"d":1}]}"#
        );
    }
}
