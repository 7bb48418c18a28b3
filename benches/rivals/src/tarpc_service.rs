//! The contract that tarpc's server and client share.

/// `add`, as tarpc spells a service.
#[tarpc::service]
pub trait Sum {
    /// `a + b`.
    async fn add(a: i64, b: i64) -> i64;
}
