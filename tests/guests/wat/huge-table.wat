;; A table that starts with ten million elements.
(component
  (core module $case
    (table 10000000 funcref)
    (func (export "run") (param i32) (result i32) (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
