"""The champion as MLflow serves it: a model from code, its files plain text; nothing is unpickled.

Input columns, all of them required: every signal as a double (blank where not known), `overall` as a double,
`cell` and `group` as strings, and as doubles what forecasts of cards take beside them (blank where not known,
or where there is none): the ages a school takes, `low_age` and `high_age`, and its own newest card, `card_`
and an area. Output: the chances, the set, the interval and the recent rate of its next grade, and the chances
and sets of its next report card by area, as `models.champion` gives them.
"""

from pathlib import Path

import mlflow.models
import mlflow.pyfunc
import pandas as pd

from headway.models.champion import Champion


class Served(mlflow.pyfunc.PythonModel):
    def load_context(self, context) -> None:
        self.champion = Champion.load(Path(context.artifacts["files"]))

    def predict(self, context, model_input: pd.DataFrame, params: dict | None = None) -> pd.DataFrame:
        state = model_input[self.champion.state].astype({"overall": "int64"})
        return self.champion.answers(model_input[self.champion.signals].astype("float64"), state)


mlflow.models.set_model(Served())
