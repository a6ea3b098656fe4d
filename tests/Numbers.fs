/// Comparisons of numbers that NaN does not pass: Expecto's own fail where a number is too large, and NaN never is.
[<RequireQualifiedAccess>]
module Numbers

open Expecto

let inline isLessThan a b message =
    if not (a < b) then
        failtest $"{message}. Expected {a} to be less than {b}."

let inline isLessThanOrEqual a b message =
    if not (a <= b) then
        failtest $"{message}. Expected {a} to be at most {b}."

let inline isGreaterThan a b message =
    if not (a > b) then
        failtest $"{message}. Expected {a} to be greater than {b}."

let inline isGreaterThanOrEqual a b message =
    if not (a >= b) then
        failtest $"{message}. Expected {a} to be at least {b}."
