"""Tenancy in the schema: a row of one program can't name another program's row."""

from typing import Any, ClassVar

from django.db import models
from django.db.backends.ddl_references import Statement, Table
from django_scopes import ScopedManager


def scoped(queryset: type[models.QuerySet] = models.QuerySet) -> Any:
    """Return a manager that raises ScopeError outside `scope(program=…)`."""
    return ScopedManager(_manager_class=models.Manager.from_queryset(queryset), program="program")


class ProgramRow(models.Model):
    """A row that belongs to one program, and can be named only inside it.

    `program` needs no index of its own: the key (program, id) begins with it. Foreign keys
    to other such rows are made with db_constraint=False and named in `same_program`, which
    checks program and id at once.
    """

    program = models.ForeignKey("pthv.Program", models.PROTECT, db_index=False, related_name="+")

    objects: ClassVar[Any] = scoped()

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: Any) -> Any:
        # Behind every get_…_display(). Django's own translates and hashes all labels each time,
        # which is a fifth of a page of fifty rows.
        value = getattr(self, field.attname)
        label = next((label for key, label in field.flatchoices if key == value), value)
        return label if label is None else str(label)


class CompositeForeignKey(models.BaseConstraint):
    """`fields` of this table together name one row of `to` by its `to_fields`.

    Django's ForeignKey checks one column; this checks several at once, so that
    (program, school) must be a school of that program. `to_fields` need a unique
    constraint there. Rows with a null in `fields` are not checked (MATCH SIMPLE).
    """

    def __init__(
        self,
        *,
        name: str,
        fields: list[str],
        to: str,
        to_fields: list[str],
        on_update: str = "",
        on_delete: str = "",
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )
        self.fields, self.to, self.to_fields = fields, to, to_fields
        self.on_update, self.on_delete = on_update, on_delete

    def _sql(self, model: type[models.Model], schema_editor: Any) -> Statement:
        app_label, model_name = self.to.split(".")
        target = model._meta.apps.get_model(app_label, model_name)

        def columns(of: type[models.Model], names: list[str]) -> str:
            return ", ".join(
                schema_editor.quote_name(of._meta.get_field(name).column)  # type: ignore[union-attr]
                for name in names
            )

        return Statement(
            "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s FOREIGN KEY (%(columns)s) "
            "REFERENCES %(target)s (%(to_columns)s)%(on_update)s%(on_delete)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
            columns=columns(model, self.fields),
            target=Table(target._meta.db_table, schema_editor.quote_name),
            to_columns=columns(target, self.to_fields),
            on_update=f" ON UPDATE {self.on_update}" if self.on_update else "",
            on_delete=f" ON DELETE {self.on_delete}" if self.on_delete else "",
        )

    def constraint_sql(self, model: type[models.Model], schema_editor: Any) -> None:
        # The other table, or its unique key, may come later in the same migration.
        schema_editor.deferred_sql.append(self._sql(model, schema_editor))

    def create_sql(self, model: type[models.Model], schema_editor: Any) -> None:
        self.constraint_sql(model, schema_editor)

    def remove_sql(self, model: type[models.Model], schema_editor: Any) -> Statement:
        return schema_editor._delete_constraint_sql(schema_editor.sql_delete_fk, model, self.name)

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: Any = None) -> None:
        """Leave it to the database: forms choose only from scoped querysets."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CompositeForeignKey):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, *self.fields))

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        kwargs |= {"fields": self.fields, "to": self.to, "to_fields": self.to_fields}
        if self.on_update:
            kwargs["on_update"] = self.on_update
        if self.on_delete:
            kwargs["on_delete"] = self.on_delete
        return path, args, kwargs


def same_program(table: str, **fields: str) -> list[models.BaseConstraint]:
    """Constraints of `table`: itself nameable by (program, id), and each field kept inside.

    `fields` maps a foreign key's name to the model it points at, as "app.Model".
    """
    nameable = models.UniqueConstraint(fields=["program", "id"], name=f"{table}_in_program")
    return [nameable] + [
        CompositeForeignKey(
            name=f"{table}_{field}_same_program",
            fields=["program", field],
            to=to,
            to_fields=["program", "id"],
        )
        for field, to in fields.items()
    ]
