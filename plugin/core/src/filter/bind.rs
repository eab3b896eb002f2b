//! An [`Expression`] to a [`Test`]: whether every part can be evaluated here, and if not, the first that cannot.
//!
//! Stricter than OData where a guess would be needed: what is left to Graph costs a list on every run, what is judged
//! in another way than Graph judges it costs somebody's group.

use super::evaluate::{Subject, Test};
use super::expression::{Expression, Operator, not_evaluated};
use super::literal::{Literal, folded};
use super::parse::cut;
use super::property::{Form, property};

/// The test and the properties it reads; or what cannot be evaluated.
pub(super) fn bind(expression: &Expression) -> Result<(Test, Vec<String>), String> {
    let mut binder = Binder { properties: Vec::new() };
    let test = binder.condition(expression, None)?;
    Ok((test, binder.properties))
}

struct Binder {
    properties: Vec<String>,
}

/// The variable of the `any` around an expression, and the form of what it stands for.
type Variable<'e> = Option<(&'e str, Form)>;

impl Binder {
    fn condition(&mut self, expression: &Expression, variable: Variable<'_>) -> Result<Test, String> {
        match expression {
            Expression::Or(parts) => self.conditions(parts, variable).map(Test::Or),
            Expression::And(parts) => self.conditions(parts, variable).map(Test::And),
            Expression::Not(inner) => Ok(Test::Not(Box::new(self.condition(inner, variable)?))),
            Expression::Compare(operator, left, right) => self.compare(*operator, left, right, variable),
            Expression::In(left, items) => {
                let (subject, form) = self.subject(left, variable)?;
                let literals = items.iter().map(|item| value(item, form, Operator::Eq));
                Ok(Test::In(subject, literals.collect::<Result<_, _>>()?))
            }
            Expression::Call(function, arguments) => self.call(function, arguments, variable),
            Expression::Any { collection, condition } => self.any(collection, condition.as_ref(), variable),
            Expression::Name(name) => {
                let (_, form) = self.subject(expression, variable)?;
                let instead = if form == Form::Flag { format!(": write {name} eq true") } else { String::new() };
                Err(format!("{} alone is no condition{instead}", cut(name)))
            }
            Expression::Literal(_) => Err("a value alone is no condition".to_owned()),
            Expression::Foreign(reason) => Err(reason.clone()),
        }
    }

    fn conditions(&mut self, parts: &[Expression], variable: Variable<'_>) -> Result<Vec<Test>, String> {
        parts.iter().map(|part| self.condition(part, variable)).collect()
    }

    fn compare(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
        variable: Variable<'_>,
    ) -> Result<Test, String> {
        let (subject, form) = self.subject(left, variable)?;
        Ok(Test::Compare(subject, operator, value(right, form, operator)?))
    }

    fn call(&mut self, function: &str, arguments: &[Expression], variable: Variable<'_>) -> Result<Test, String> {
        let test = match function {
            "startswith" => Test::StartsWith,
            "endswith" => Test::EndsWith,
            _ => {
                let near = ["startswith", "endswith"].into_iter().find(|known| is_near(function, known));
                let near = near.map_or(String::new(), |near| format!(" (did you mean {near}?)"));
                return Err(not_evaluated(&format!("the function {}(){near}", cut(function))));
            }
        };
        let [left, Expression::Literal(Literal::Text(text))] = arguments else {
            return Err(not_evaluated(&format!("{function}() of anything but a property and a text")));
        };
        match self.subject(left, variable)? {
            (subject, Form::Text | Form::Unknown) => Ok(test(subject, folded(text))),
            _ => Err(not_evaluated(&format!("{function}() of a property that is no text"))),
        }
    }

    fn any(
        &mut self,
        collection: &str,
        condition: Option<&(String, Box<Expression>)>,
        variable: Variable<'_>,
    ) -> Result<Test, String> {
        if variable.is_some() {
            return Err(not_evaluated("any() inside any()"));
        }
        let (name, form) = property(collection)?;
        let items = match form {
            Form::Texts => Form::Text,
            Form::Unknown => Form::Unknown,
            _ => return Err(format!("{name} has a single value, so any() does not fit it")),
        };
        let index = self.index(name);
        let inner = match condition {
            Some((variable, inner)) => Some(Box::new(self.condition(inner, Some((variable, items)))?)),
            None => None,
        };
        Ok(Test::Any(index, inner))
    }

    /// What a comparison is about.
    fn subject(&mut self, expression: &Expression, variable: Variable<'_>) -> Result<(Subject, Form), String> {
        let name = match expression {
            Expression::Name(name) => name,
            Expression::Foreign(reason) => return Err(reason.clone()),
            Expression::Not(_) => {
                return Err("not stands before a property alone: write not (… eq …) with parentheses".to_owned());
            }
            Expression::Literal(_) => return Err("a value stands where a property should: turn it round".to_owned()),
            _ => return Err(not_evaluated("a comparison of anything but a property")),
        };
        match variable {
            Some((variable, form)) if variable == name => return Ok((Subject::Item, form)),
            Some(_) => return Err(not_evaluated("a property other than the variable inside any()")),
            None => {}
        }
        let (name, form) = property(name)?;
        if form == Form::Texts {
            return Err(format!("{name} has several values: write {name}/any(v:v eq …)"));
        }
        Ok((Subject::Property(self.index(name)), form))
    }

    fn index(&mut self, name: String) -> usize {
        self.properties.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.properties.push(name);
            self.properties.len() - 1
        })
    }
}

/// What a property of this form is compared with.
fn value(expression: &Expression, form: Form, operator: Operator) -> Result<Literal, String> {
    let literal = match expression {
        Expression::Literal(literal) => literal,
        Expression::Foreign(reason) => return Err(reason.clone()),
        Expression::Name(name) => {
            property(name)?;
            return Err(not_evaluated("a comparison of two properties"));
        }
        _ => return Err(not_evaluated("a comparison with anything but a value")),
    };
    let ordered = !matches!(operator, Operator::Eq | Operator::Ne);
    match (form, literal) {
        (_, Literal::Null | Literal::Flag(_)) if ordered => Err("null, true and false have no order".to_owned()),
        (_, Literal::Null)
        | (Form::Flag | Form::Unknown, Literal::Flag(_))
        | (Form::Number | Form::Unknown, Literal::Number(_))
        | (Form::Moment | Form::Unknown, Literal::Moment(_)) => Ok(literal.clone()),
        // Graph orders texts by rules that are not documented. A guess would select other groups than Graph's list
        // does.
        (Form::Text | Form::Unknown, Literal::Text(_)) if ordered => {
            Err(not_evaluated("gt, ge, lt and le of texts, whose order only Graph knows"))
        }
        (Form::Text | Form::Unknown, Literal::Text(text)) => Ok(Literal::Text(folded(text))),
        (_, Literal::Other(what)) => Err(not_evaluated(what)),
        (Form::Text | Form::Texts, _) => Err("a text is compared with something else: write it in quotes".to_owned()),
        (Form::Flag, _) => Err("a property that is true or false is compared with something else".to_owned()),
        (Form::Moment, _) => {
            Err("a date-time is compared with something else: write it without quotes, as in 2024-01-31T00:00:00Z"
                .to_owned())
        }
        (Form::Number, _) => Err("a number is compared with something else".to_owned()),
    }
}

/// All letters of one but one stand in the other, in order.
fn is_near(word: &str, known: &str) -> bool {
    let short = word.len().abs_diff(known.len()) <= 1;
    let same_start = word.bytes().zip(known.bytes()).take_while(|(a, b)| a == b).count();
    let same_end = word.bytes().rev().zip(known.bytes().rev()).take_while(|(a, b)| a == b).count();
    short && same_start + same_end + 1 >= word.len().max(known.len())
}
