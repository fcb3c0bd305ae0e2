//! A JSON value that keeps its keys as they came: in order, doubles included.

use super::MOST_DEPTH;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use std::{borrow::Cow, fmt};

/// A JSON value. Strings without escapes are borrowed from the body.
pub(super) enum Value<'b> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(Cow<'b, str>),
    List(Vec<Value<'b>>),
    Object(Vec<(Cow<'b, str>, Value<'b>)>),
}

/// Reads a value with so many levels left.
#[derive(Clone, Copy)]
pub(super) struct Depth(usize);

impl Depth {
    pub(super) fn outermost() -> Self {
        Self(MOST_DEPTH)
    }

    fn inner<E: Error>(self) -> Result<Self, E> {
        let left = self.0.checked_sub(1);
        left.map(Self).ok_or_else(|| E::custom("nested too deeply"))
    }
}

impl<'b> DeserializeSeed<'b> for Depth {
    type Value = Value<'b>;

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<Value<'b>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'b> Visitor<'b> for Depth {
    type Value = Value<'b>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'b>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'b>, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value<'b>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value<'b>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'b>, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'b str) -> Result<Value<'b>, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value<'b>, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut items: A) -> Result<Value<'b>, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'b>>(self, mut fields: A) -> Result<Value<'b>, A::Error> {
        let inner = self.inner()?;
        let mut object = Vec::new();
        while let Some(Key(key)) = fields.next_key()? {
            object.push((key, fields.next_value_seed(inner)?));
        }
        Ok(Value::Object(object))
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'b>(#[serde(borrow)] Cow<'b, str>);
