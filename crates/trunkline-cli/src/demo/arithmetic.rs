//! Arithmetic: whole numbers stay whole for as long as they fit.

use serde::Deserialize;
use serde_json::Number;
use trunkline::{Fault, FaultKind, Router, handler};

/// `[a, b]` or `{"a": …, "b": …}`.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pair {
    a: Number,
    b: Number,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum ArithmeticError {
    #[error("division by zero")]
    DivisionByZero { dividend: Number },
    #[error("the result is too large for a number")]
    TooLarge,
}

impl From<ArithmeticError> for Fault {
    fn from(error: ArithmeticError) -> Self {
        let fault = Self::new(FaultKind::Failed, error.to_string());
        match error {
            ArithmeticError::DivisionByZero { dividend } => {
                fault.with_code(1001).with_data(serde_json::json!({"dividend": dividend}))
            }
            ArithmeticError::TooLarge => fault.with_code(1002),
        }
    }
}

/// Combines two numbers as whole ones, or else as fractions.
fn combine(
    a: &Number,
    b: &Number,
    whole: fn(i128, i128) -> Option<i128>,
    real: fn(f64, f64) -> f64,
) -> Result<Number, ArithmeticError> {
    let exact = a.as_i128().zip(b.as_i128()).and_then(|(a, b)| whole(a, b)).and_then(Number::from_i128);
    exact
        .or_else(|| Number::from_f64(a.as_f64().zip(b.as_f64()).map(|(a, b)| real(a, b))?))
        .ok_or(ArithmeticError::TooLarge)
}

async fn add(Pair { a, b }: Pair) -> Result<Number, ArithmeticError> {
    combine(&a, &b, i128::checked_add, |a, b| a + b)
}

async fn subtract(Pair { a, b }: Pair) -> Result<Number, ArithmeticError> {
    combine(&a, &b, i128::checked_sub, |a, b| a - b)
}

async fn multiply(Pair { a, b }: Pair) -> Result<Number, ArithmeticError> {
    combine(&a, &b, i128::checked_mul, |a, b| a * b)
}

async fn divide(Pair { a, b }: Pair) -> Result<Number, ArithmeticError> {
    if b.as_f64() == Some(0.0) {
        return Err(ArithmeticError::DivisionByZero { dividend: a });
    }
    let whole = |a: i128, b: i128| (a % b == 0).then(|| a / b);
    combine(&a, &b, whole, |a, b| a / b)
}

async fn sum(numbers: Vec<Number>) -> Result<Number, ArithmeticError> {
    numbers
        .iter()
        .try_fold(Number::from(0), |sum, number| combine(&sum, number, i128::checked_add, |a, b| a + b))
}

/// The procedures.
pub(super) fn router() -> Router {
    let by_zero = ArithmeticError::DivisionByZero { dividend: Number::from(7) };
    let divide = handler(divide).description("The quotient of two numbers.").fault(by_zero);
    let too_large = || ArithmeticError::TooLarge;
    Router::new()
        .procedure("add", handler(add).description("The sum of two numbers.").fault(too_large()))
        .procedure(
            "subtract",
            handler(subtract).description("The difference of two numbers.").fault(too_large()),
        )
        .procedure(
            "multiply",
            handler(multiply).description("The product of two numbers.").fault(too_large()),
        )
        .procedure("divide", divide.fault(too_large()))
        .procedure("sum", handler(sum).description("The sum of any number of numbers.").fault(too_large()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline::{Context, Payload};

    async fn call(name: &str, args: &str) -> Result<String, Fault> {
        let answer = router().call(name, Some(Payload::Json(args)), &Context::local()).await?;
        Ok(answer.decode::<Box<serde_json::value::RawValue>>().unwrap().to_string())
    }

    #[tokio::test]
    async fn whole_numbers_stay_whole_while_they_fit() {
        for (name, args, result) in [
            ("add", "[2,3]", "5"),
            ("add", r#"{"b":0.5,"a":2}"#, "2.5"),
            ("add", "[18446744073709551614,1]", "18446744073709551615"),
            ("subtract", "[18446744073709551615,18446744073709551614]", "1"),
            ("multiply", "[9007199254740993,3]", "27021597764222979"),
            ("multiply", "[18446744073709551615,2]", "3.6893488147419103e+19"),
            ("divide", "[6,-3]", "-2"),
            ("divide", "[1,4]", "0.25"),
            ("sum", "[1,2,3.5]", "6.5"),
            ("sum", "[]", "0"),
        ] {
            assert_eq!(call(name, args).await.unwrap(), result, "{name} {args}");
        }
    }

    #[tokio::test]
    async fn what_has_no_result_is_a_fault_with_a_code() {
        for zero in ["0", "0.0", "-0.0"] {
            let fault = call("divide", &format!("[7,{zero}]")).await.unwrap_err();
            assert_eq!((fault.code(), fault.raw_data()), (Some(1001), Some(r#"{"dividend":7}"#)));
        }
        assert_eq!(call("multiply", "[1e308,10]").await.unwrap_err().code(), Some(1002));
        assert_eq!(call("add", r#"["2",3]"#).await.unwrap_err().kind(), FaultKind::InvalidArgs);
    }
}
