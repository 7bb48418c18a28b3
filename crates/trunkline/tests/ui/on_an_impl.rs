struct MyMath;

#[trunkline::service]
impl MyMath {
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {}

//~ 4:1 `#[trunkline::service]` stands on a trait, the contract that both sides share; what implements it is served by the wrapper that this makes
