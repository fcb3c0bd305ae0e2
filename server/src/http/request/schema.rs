//! The vocabulary in which the requests declare their schemas.
//!
//! Most are declared by hand: every field of a request may be `null`, and what only the server sets
//! may hold anything, which takes more attributes than words to derive.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{
            Array, KnownFormat, Object, ObjectBuilder, OneOfBuilder, Ref, Schema, SchemaFormat,
            SchemaType, Type,
        },
    },
};

/// Named schemas, as [`ToSchema::schemas`] collects them.
pub(super) type Named = Vec<(String, RefOr<Schema>)>;

/// Adds a schema that another refers to, and those that it refers to.
pub(super) fn collect<T: ToSchema>(named: &mut Named) {
    named.push((T::name().into_owned(), T::schema()));
    T::schemas(named);
}

/// An object with these properties, none of which has to be there.
pub(super) fn object(
    properties: impl IntoIterator<Item = (&'static str, RefOr<Schema>)>,
) -> ObjectBuilder {
    let empty = ObjectBuilder::new().schema_type(Type::Object);
    properties
        .into_iter()
        .fold(empty, |object, (name, schema)| {
            object.property(name, schema)
        })
}

/// The same object with further properties, which are accepted whatever they hold.
pub(super) fn with_ignored(object: ObjectBuilder, names: &[&str]) -> RefOr<Schema> {
    names
        .iter()
        .fold(object, |object, name| object.property(*name, anything()))
        .into()
}

fn nullable(of: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([of, Type::Null]))
}

/// A string, or null.
pub(super) fn text() -> RefOr<Schema> {
    nullable(Type::String).into()
}

/// A string.
pub(super) fn plain_text() -> RefOr<Schema> {
    Object::with_type(Type::String).into()
}

/// Anything.
pub(super) fn anything() -> Object {
    Object::with_type(SchemaType::AnyValue)
}

/// A UUID, or null.
pub(super) fn uuid() -> RefOr<Schema> {
    let uuid = SchemaFormat::Custom("uuid".to_owned());
    nullable(Type::String).format(Some(uuid)).into()
}

/// A string, or null, that no answer holds.
pub(super) fn secret_text() -> RefOr<Schema> {
    nullable(Type::String).write_only(true).into()
}

/// A secret that is accepted whatever it holds, and not read.
pub(super) fn ignored_secret() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .write_only(true)
        .into()
}

/// A boolean, or null.
pub(super) fn boolean() -> RefOr<Schema> {
    nullable(Type::Boolean).into()
}

/// A signed 64-bit integer, or null.
pub(super) fn integer() -> RefOr<Schema> {
    let int64 = SchemaFormat::KnownFormat(KnownFormat::Int64);
    nullable(Type::Integer).format(Some(int64)).into()
}

/// A map of strings, or null.
pub(super) fn map() -> RefOr<Schema> {
    nullable(Type::Object)
        .additional_properties(Some(RefOr::T(Object::with_type(Type::String).into())))
        .into()
}

/// A string that is one of these words.
pub(super) fn word(words: &[&str]) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().copied()))
        .build()
}

/// Another schema, by its name.
pub(super) fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

/// Another schema, by its name, or null.
pub(super) fn optional<T: ToSchema>() -> RefOr<Schema> {
    OneOfBuilder::new()
        .item(reference::<T>())
        .item(Object::with_type(Type::Null))
        .into()
}

/// A list.
pub(super) fn list(items: RefOr<Schema>) -> Array {
    Array::new(items)
}

/// A list, or null.
pub(super) fn optional_list(items: RefOr<Schema>) -> Array {
    Array::new_nullable(items)
}

/// The most volumes or snapshots in one request.
pub(super) fn at_most_32(mut list: Array) -> RefOr<Schema> {
    list.max_items = Some(32);
    RefOr::T(Schema::Array(list))
}

/// The schema of secrets in requests; the type that holds them has none of its own.
pub(super) struct SecretsRequest;

impl PartialSchema for SecretsRequest {
    fn schema() -> RefOr<Schema> {
        let password = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(RefOr::<Schema>::from(password)))
            .into()
    }
}

impl ToSchema for SecretsRequest {}

/// The schema of references to secrets, by key.
pub(super) struct SecretsFromRequest;

impl PartialSchema for SecretsFromRequest {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(reference::<SecretReference>()))
            .into()
    }
}

impl ToSchema for SecretsFromRequest {
    fn schemas(named: &mut Named) {
        collect::<SecretReference>(named);
    }
}

/// The schema of one reference.
struct SecretReference;

impl PartialSchema for SecretReference {
    fn schema() -> RefOr<Schema> {
        object([("File", text()), ("Env", text()), ("Credential", text())]).into()
    }
}

impl ToSchema for SecretReference {}
