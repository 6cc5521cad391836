"""The data sets that can be read, one a file; `breastseg.data.catalogue` names them."""
