//! [`TypedFault`]: errors that cross the wire by name, and come back as what they were.
//!
//! Such a fault's data is an object of its name and its properties, the same in
//! every dialect that carries data: `{"name": "Full", "properties": {"guests": 2}}`.

use super::Fault;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use std::{borrow::Cow, convert::Infallible};

/// What a method of a service may fail with.
///
/// Derived, by `#[derive(trunkline::Fault)]`, for errors that come back to a
/// caller in Rust as what they were. [`Fault`] itself will do, and so will a text.
/// An error that has an `Into<Fault>` by hand comes back as a plain fault if it
/// says just that:
///
/// ```
/// use trunkline_core::{Fault, FaultKind, TypedFault};
///
/// struct Closed;
///
/// impl From<Closed> for Fault {
///     fn from(_: Closed) -> Self {
///         Self::new(FaultKind::Unavailable, "the shop is closed")
///     }
/// }
///
/// impl TypedFault for Closed {
///     type Told = Fault;
///
///     fn told(fault: Fault) -> Fault {
///         fault
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a service's method",
    label = "not an error that callers can be told",
    note = "put `#[derive(trunkline::Fault)]` on it, or use `trunkline::Fault`"
)]
pub trait TypedFault: Into<Fault> {
    /// What a caller in Rust is given.
    type Told;

    /// A fault that came back, as what a caller is given.
    fn told(fault: Fault) -> Self::Told;

    /// The error that a fault was made of, at the other end.
    ///
    /// # Errors
    ///
    /// Gives the fault back if it is none of these errors, as it is unless this says
    /// otherwise.
    fn from_fault(fault: Fault) -> Result<Self, Fault> {
        Err(fault)
    }

    /// How callers may see it fail, for the catalog.
    #[must_use]
    fn faults() -> Vec<Fault> {
        Vec::new()
    }
}

macro_rules! untyped {
    ($($error:ty),*) => {
        $(
            impl TypedFault for $error {
                type Told = Fault;

                fn told(fault: Fault) -> Fault {
                    fault
                }
            }
        )*
    };
}

untyped!(Fault, String, &'static str, Infallible);

/// How the data of a fault with a name is spelled.
#[derive(Deserialize, Serialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    properties: Option<&'a RawValue>,
}

impl Fault {
    /// Says which error it is, by a name that callers can rely on, with what
    /// belongs to it: a struct, a map, or `()`. It is sent as the
    /// [data](Self::with_data).
    ///
    /// ```
    /// # use trunkline_core::Fault;
    /// #[derive(serde::Serialize)]
    /// struct Full { guests: usize }
    ///
    /// let fault = Fault::from("the room is full").with_name("Full", Full { guests: 2 });
    /// assert_eq!(fault.name().as_deref(), Some("Full"));
    /// assert_eq!(fault.raw_data(), Some(r#"{"name":"Full","properties":{"guests":2}}"#));
    /// ```
    #[must_use]
    pub fn with_name(self, name: &str, properties: impl Serialize) -> Self {
        let properties = to_raw_value(&properties).ok();
        let properties = properties.as_deref().filter(|it| it.get() != "null");
        self.with_data(Named { name: name.into(), properties })
    }

    /// Which error it is, if it has a name.
    #[must_use]
    pub fn name(&self) -> Option<Cow<'_, str>> {
        self.named().map(|named| named.name)
    }

    /// What belongs to an error that has a name, decoded; `None` if it has none,
    /// or something is missing or of another shape.
    #[must_use]
    pub fn properties<T: DeserializeOwned>(&self) -> Option<T> {
        let properties = self.named()?.properties.map_or("{}", RawValue::get);
        an_object(properties).and_then(|text| serde_json::from_str(text).ok())
    }

    fn named(&self) -> Option<Named<'_>> {
        self.raw_data().and_then(an_object).and_then(|_| self.data())
    }
}

/// serde would take a list for the fields in their order.
fn an_object(json: &str) -> Option<&str> {
    json.starts_with('{').then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_what_others_send() {
        let told = |data: &str| {
            Fault::from("no").with_data(serde_json::from_str::<serde_json::Value>(data).unwrap())
        };
        assert_eq!(told(r#"{"name":"F\u0075ll","more":1}"#).name().as_deref(), Some("Full"));
        for data in ["5", r#""Full""#, r#"{"name":5}"#, "[]", "{}", r#"["Full"]"#] {
            assert_eq!(told(data).name(), None, "{data}");
        }
        assert_eq!(Fault::from("no").name(), None);
    }

    #[test]
    fn what_belongs_to_it_goes_by_name() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Full {
            guests: u8,
        }
        let told = |properties: serde_json::Value| {
            Fault::from("full").with_data(serde_json::json!({"name": "Full", "properties": properties}))
        };
        assert_eq!(told(serde_json::json!({"guests": 2})).properties(), Some(Full { guests: 2 }));
        assert_eq!(told(serde_json::json!([2])).properties::<Full>(), None);
    }

    #[test]
    fn what_belongs_to_it_may_be_nothing() {
        let fault = Fault::from("closed").with_name("Closed", ());
        assert_eq!(fault.raw_data(), Some(r#"{"name":"Closed"}"#));
        assert!(fault.properties::<std::collections::BTreeMap<String, u8>>().unwrap().is_empty());
    }
}
