#[trunkline::service]
trait Math
where
    Self: std::fmt::Debug,
    String: Clone,
{
    async fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}

//~ 5:5 a `where` of a contract is about what implements it, `Self`: drop the rest
