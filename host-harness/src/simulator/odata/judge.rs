//! Whether Graph would evaluate a filter: the operator table of each property and the rules for advanced queries.

use serde_json::Value;

use super::{Filter, Operator, Refused};
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::property::Property;

/// Refuse what Graph refuses. `advanced` means header and `$count=true` are both there.
pub(crate) fn judge(filter: &Filter, kind: Kind, advanced: bool, max_height: Option<u32>) -> Result<(), Refused> {
    if let Some(max) = max_height {
        let height = height(filter);
        if height > max {
            return Err(Refused {
                code: "Request_BadRequest",
                message: format!("The search filter expression has excessive height: {height}. Max allowed: {max}"),
            });
        }
    }
    visit(filter, kind, advanced, false)
}

fn height(filter: &Filter) -> u32 {
    match filter {
        Filter::And(left, right) | Filter::Or(left, right) => 1 + height(left).max(height(right)),
        Filter::Not(inner) => 1 + height(inner),
        _ => 1,
    }
}

fn visit(filter: &Filter, kind: Kind, advanced: bool, negated: bool) -> Result<(), Refused> {
    match filter {
        Filter::And(left, right) | Filter::Or(left, right) => {
            visit(left, kind, advanced, negated)?;
            visit(right, kind, advanced, negated)
        }
        Filter::Not(inner) => {
            if !advanced {
                return Err(needs_advanced("not"));
            }
            visit(inner, kind, advanced, true)
        }
        Filter::Compare { path, operator, literal } => {
            let property = property(path, kind)?;
            operate(property, kind, *operator, advanced)?;
            if negated && !property.knows("not") {
                return Err(unsupported_operator("Not"));
            }
            if literal.is_null() && !(property.knows("null") || *operator == Operator::Ne) {
                return Err(invalid_clause(property, kind));
            }
            fits(property, *operator, literal)
        }
        Filter::In { path, literals } => {
            let property = property(path, kind)?;
            if !property.knows("in") {
                return Err(if property.operators.is_empty() {
                    invalid_clause(property, kind)
                } else {
                    unsupported_operator("In")
                });
            }
            literals.iter().try_for_each(|literal| fits(property, Operator::Eq, literal))
        }
        Filter::Any { path, variable, inner } => {
            let property = property(path, kind)?;
            if !property.knows("any") {
                return Err(invalid_clause(property, kind));
            }
            lambda(inner, variable, property, advanced)
        }
        Filter::AnyAtAll { path } | Filter::Count { path, .. } => {
            let property = property(path, kind)?;
            if !property.shape.is_collection() {
                return Err(invalid_clause(property, kind));
            }
            if advanced { Ok(()) } else { Err(needs_advanced("$count")) }
        }
    }
}

fn property(path: &str, kind: Kind) -> Result<&'static Property, Refused> {
    let head = path.split('/').next().unwrap_or(path);
    kind.property(head).ok_or_else(|| {
        let resource = kind.odata_type().trim_start_matches('#');
        Refused::syntax(format!("Could not find a property named '{head}' on type '{resource}'."))
    })
}

fn operate(property: &Property, kind: Kind, operator: Operator, advanced: bool) -> Result<(), Refused> {
    if operator == Operator::Contains {
        return Err(unsupported_operator("Contains"));
    }
    if property.operators.is_empty() {
        return Err(invalid_clause(property, kind));
    }
    if !property.knows(operator.word()) {
        return Err(unsupported_operator(match operator {
            Operator::Eq => "EqualsMatch",
            Operator::Ne => "NotEqualsMatch",
            Operator::Ge => "GreaterThanOrEqualsMatch",
            Operator::Le => "LessThanOrEqualsMatch",
            Operator::Gt => "GreaterThanMatch",
            Operator::Lt => "LessThanMatch",
            Operator::StartsWith => "PrefixMatch",
            Operator::EndsWith => "SuffixMatch",
            Operator::Contains => "Contains",
        }));
    }
    match operator {
        Operator::EndsWith if !advanced => Err(needs_advanced("endsWith")),
        Operator::Ne if !advanced => Err(unsupported_operator("NotEqualsMatch")),
        _ => Ok(()),
    }
}

fn lambda(inner: &Filter, variable: &str, property: &Property, advanced: bool) -> Result<(), Refused> {
    match inner {
        Filter::And(left, right) | Filter::Or(left, right) => {
            lambda(left, variable, property, advanced)?;
            lambda(right, variable, property, advanced)
        }
        Filter::Compare { path, operator, .. } if path.split('/').next() == Some(variable) => match operator {
            Operator::Eq => Ok(()),
            Operator::StartsWith if property.knows("startswith") => Ok(()),
            Operator::EndsWith if property.knows("endswith") && advanced => Ok(()),
            Operator::EndsWith if property.knows("endswith") => Err(needs_advanced("endsWith")),
            _ => Err(unsupported_operator(operator.word())),
        },
        _ => Err(Refused::syntax("the lambda expression is not supported.")),
    }
}

fn fits(property: &Property, operator: Operator, literal: &Value) -> Result<(), Refused> {
    use crate::simulator::kinds::property::Shape;
    let fits = match (property.shape, literal) {
        (_, Value::Null) => matches!(operator, Operator::Eq | Operator::Ne),
        // A path may lead into a structure; its members are of any type.
        (Shape::Text | Shape::Moment, Value::String(_)) | (Shape::Flag, Value::Bool(_)) | (Shape::Structure, _) => true,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(Refused::syntax("A binary operator with incompatible types was detected."))
}

fn needs_advanced(operator: &str) -> Refused {
    Refused::unsupported(format!(
        "Operator '{operator}' is not supported because the required parameters might be missing. Try adding $count=true \
         query parameter and ConsistencyLevel:eventual header. Refer to https://aka.ms/graph-docs/advanced-queries for \
         more information"
    ))
}

fn unsupported_operator(operator: &str) -> Refused {
    Refused::unsupported(format!("Unsupported property filter clause operator '{operator}'."))
}

fn invalid_clause(property: &Property, kind: Kind) -> Refused {
    Refused::unsupported(format!(
        "Unsupported or invalid query filter clause specified for property '{}' of resource '{}'.",
        property.name,
        kind.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn verdict(filter: &str, advanced: bool) -> Result<(), String> {
        judge(&parse(filter).unwrap(), Kind::Group, advanced, None).map_err(|refused| refused.message)
    }

    #[test]
    fn negation_needs_an_advanced_query() {
        for filter in ["displayName ne 'x'", "not startswith(displayName,'x')", "NOT groupTypes/any(c:c eq 'Unified')"]
        {
            assert!(verdict(filter, false).is_err(), "{filter}");
            assert_eq!(verdict(filter, true), Ok(()), "{filter}");
        }
    }

    #[test]
    fn properties_know_their_operators() {
        assert!(verdict("createdDateTime ge 2024-01-01T00:00:00Z", true).unwrap_err().contains("createdDateTime"));
        assert!(verdict("contains(displayName,'x')", true).unwrap_err().contains("'Contains'"));
        assert!(verdict("visibility eq 'Public'", true).is_err());
        assert!(verdict("nothing eq 'x'", true).unwrap_err().contains("Could not find a property"));
        assert!(verdict("securityEnabled eq 'true'", true).is_err());
        assert_eq!(verdict("displayName eq null", false), Ok(()));
        assert_eq!(verdict("groupTypes/any(c:c eq 'Unified')", false), Ok(()));
    }
}
